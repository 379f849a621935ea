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

#include "snapshot/model/catalog.h"

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
  size_t newest_whole = 0;
};

// Immutable once made, hence thread safe.
class SnapshotNames {
 public:
  // `time_format` makes the names of snapshots (MountOptions::time_format). A snapshot that a
  // neighbour shared its name with when it was published has "-" and its number behind it. `last`
  // may be null: the names that it, and those before it, gave are not given to others.
  SnapshotNames(std::shared_ptr<const snapshot::CatalogState> state, const std::string& time_format,
                const SnapshotNames* last);
  SnapshotNames(const SnapshotNames&) = delete;
  SnapshotNames& operator=(const SnapshotNames&) = delete;

  uint64_t generation() const { return state_->generation; }
  // In order of their numbers.
  const std::vector<ShownSnapshot>& all() const { return all_; }
  // In order of `oldest`.
  const std::vector<ShownHost>& hosts() const { return hosts_; }
  // The newest that holds everything whole, or what comes next to that: whole in its selection,
  // with data at all, any. Of one server, unless `host` is null; nullptr when there are none.
  const ShownSnapshot* newest_whole(const ShownHost* host) const;
  // Of those that are not later than `time`.
  const ShownSnapshot* newest_whole_until(Timestamp time, const ShownHost* host) const;
  // By time alone.
  const ShownSnapshot* newest(const ShownHost* host) const;
  const ShownSnapshot* find(std::string_view name) const;
  const ShownSnapshot* find(uint32_t number) const;
  const ShownHost* find_host(std::string_view name) const;
  const ShownHost* find_host(uint32_t oldest) const;
  uint64_t total_bytes() const { return total_bytes_; }  // of all files under /backups
  uint64_t total_files() const { return total_files_; }
  // Why some snapshots are not shown, or could not be read; one message each.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void take_snapshots();
  void name_snapshots(const std::string& time_format);
  std::string name_of(const snapshot::Manifest& manifest, const std::string& time_format) const;
  void find_previous();
  void group_by_host();
  void index_names();

  std::shared_ptr<const snapshot::CatalogState> state_;
  std::vector<size_t> by_time_;                               // into all_
  size_t newest_whole_ = 0;                                   // into all_
  std::unordered_map<std::string, index::SnapshotId> given_;  // also to snapshots that are gone
  std::vector<ShownSnapshot> all_;
  std::vector<ShownHost> hosts_;
  std::unordered_map<std::string_view, size_t> by_name_;
  std::unordered_map<std::string_view, size_t> host_by_name_;
  uint64_t total_bytes_ = 0;
  uint64_t total_files_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace tsmfs::fs
