// The names under which a catalog's snapshots and servers appear in the mount, and what each is
// compared with in /changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "snapshot/catalog.h"

namespace tsmfs::fs {

// RFC 3339, as strftime(3) writes it.
constexpr std::string_view kTimeFormatDefault = "%Y-%m-%dT%H:%M:%SZ";

struct ShownSnapshot {
  snapshot::SnapshotPtr snapshot;
  snapshot::SnapshotPtr previous;  // of the same server; empty when there is none
  std::string name;                // the same under /backups and under /hosts/<server>/backups
  uint32_t host = 0;               // ShownHost::oldest of its server
};

struct ShownHost {
  std::string name;
  uint32_t oldest = 0;  // the lowest number of its snapshots, which stands for it in inode numbers
  std::vector<size_t> snapshots;  // into SnapshotNames::all()
  size_t newest = 0;              // by time
};

// Immutable once made, hence thread safe.
class SnapshotNames {
 public:
  // `time_format` makes the names of snapshots (MountOptions::time_format).
  SnapshotNames(std::shared_ptr<const snapshot::CatalogState> state,
                const std::string& time_format);
  SnapshotNames(const SnapshotNames&) = delete;
  SnapshotNames& operator=(const SnapshotNames&) = delete;

  uint64_t generation() const { return state_->generation; }
  // In order of their numbers.
  const std::vector<ShownSnapshot>& all() const { return all_; }
  // In order of `oldest`.
  const std::vector<ShownHost>& hosts() const { return hosts_; }
  // By time; nullptr when there are none.
  const ShownSnapshot* newest() const;
  // The newest that is not later than `time`; of one server, unless `host` is null.
  const ShownSnapshot* newest_until(Timestamp time, const ShownHost* host) const;
  const ShownSnapshot* find(std::string_view name) const;
  const ShownSnapshot* find(uint32_t number) const;
  const ShownHost* find_host(std::string_view name) const;
  const ShownHost* find_host(uint32_t oldest) const;
  uint64_t total_bytes() const { return total_bytes_; }  // of all files under /backups
  uint64_t total_files() const { return total_files_; }
  // Why some snapshots are not shown, or could not be read; one message each.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void take_snapshots(const std::string& time_format);
  void find_previous();
  void group_by_host();
  void index_names();

  std::shared_ptr<const snapshot::CatalogState> state_;
  std::vector<size_t> by_time_;  // into all_
  std::vector<ShownSnapshot> all_;
  std::vector<ShownHost> hosts_;
  std::unordered_map<std::string_view, size_t> by_name_;
  std::unordered_map<std::string_view, size_t> host_by_name_;
  uint64_t total_bytes_ = 0;
  uint64_t total_files_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace tsmfs::fs
