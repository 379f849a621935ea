// One run of `tsmfs import`: the repository is opened, or made, and takes in what was found.
#pragma once

#include <functional>
#include <stop_token>
#include <vector>

#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/import/import.h"

namespace tsmfs::snapshot {

// What was found is looked at before: a repository is not made for an import that cannot begin.
struct TakeInRequest {
  index::OpenOptions repository;  // made when there is none
  index::WriterOptions writer;
  ImportOptions import;                      // its on_snapshot is called as well
  std::function<void()> on_created = [] {};  // the repository, when it is made
};

struct TakenIn {
  bool complete = true;  // nothing of what was found is missing, or damaged
  // Something was not imported: a snapshot has the time that was given for it.
  bool time_taken = false;
};

// Throw: as import_data_dir(), import_backup_dirs(); NoRepositoryError, BusyError.
TakenIn take_in(const DataDir& found, TakeInRequest request, const std::stop_token& stop);
TakenIn take_in(const std::vector<BackupDir>& found, TakeInRequest request,
                const std::stop_token& stop);

}  // namespace tsmfs::snapshot
