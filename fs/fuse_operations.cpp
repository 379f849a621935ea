#include "fs/fuse_operations.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fs/file_facts.h"
#include "fs/open_file.h"
#include "fs/reply.h"
#include "index/base/file_time.h"

namespace tsmfs::fs {
namespace {

constexpr blksize_t kBlockBytes = 128 << 10;  // what one system call of a copy best moves
constexpr uint64_t kSectorBytes = 512;        // what st_blocks and statfs count in
constexpr unsigned kBackgroundRequestsMax = 64;

MountedHistory& mounted(fuse_req_t request) {
  return *static_cast<MountedHistory*>(fuse_req_userdata(request));
}

// Runs handler(history, inode, reply) for a request about node `number`, behind the wall.
template <typename Handler>
void serve(fuse_req_t request, const char* operation, fuse_ino_t number,
           const Handler& handler) noexcept {
  MountedHistory& mount = mounted(request);
  Reply reply(request);
  const auto what = [&] {
    const auto inode = Inode::from_number(number);
    return fmt::format("{} of {}", operation,
                       inode ? mount.history.describe(*inode) : std::to_string(number));
  };
  answer(reply, what, [&](Reply& once) {
    const auto inode = Inode::from_number(number);
    if (!inode) return once.error(ESTALE);
    handler(mount, *inode, once);
  });
}

mode_t type_bits(NodeKind kind) {
  switch (kind) {
    case NodeKind::kDirectory:
      return S_IFDIR;
    case NodeKind::kFile:
      return S_IFREG;
    case NodeKind::kLink:
      return S_IFLNK;
  }
  return 0;
}

struct stat to_stat(const MountedHistory& mount, const Node& node) {
  struct stat status {};
  status.st_ino = node.inode.number();
  status.st_mode = type_bits(node.kind) | (node.mode & ~mount.umask);
  status.st_nlink = node.links;
  status.st_uid = mount.uid;
  status.st_gid = mount.gid;
  status.st_size = static_cast<off_t>(node.size);
  status.st_blksize = kBlockBytes;
  status.st_blocks = static_cast<blkcnt_t>((node.size + kSectorBytes - 1) / kSectorBytes);
  status.st_mtim = to_timespec(node.mtime);
  status.st_atim = status.st_ctim = status.st_mtim;
  return status;
}

double attribute_seconds(const Node& node) {
  return node.attributes_fixed ? kFixedSeconds : kListSeconds;
}

fuse_entry_param to_entry(const MountedHistory& mount, const Node& node) {
  fuse_entry_param entry{};
  entry.ino = node.inode.number();
  entry.generation = node.generation;
  entry.attr = to_stat(mount, node);
  entry.attr_timeout = attribute_seconds(node);
  entry.entry_timeout = node.name_fixed ? kFixedSeconds : kListSeconds;
  return entry;
}

void want(fuse_conn_info* connection, unsigned capability, bool wanted) {
  if (wanted) {
    connection->want |= connection->capable & capability;
  } else {
    connection->want &= ~capability;
  }
}

void op_init(void* user_data, fuse_conn_info* connection) noexcept {
  connection->max_readahead = kReadAheadBytes;
  connection->max_background = kBackgroundRequestsMax;
  connection->congestion_threshold = kBackgroundRequestsMax * 3 / 4;
  want(connection, FUSE_CAP_EXPORT_SUPPORT,
       true);  // nodes can be found by number alone, and "." and ".." be looked up
  want(connection, FUSE_CAP_AUTO_INVAL_DATA, false);  // contents never change
  for (const int splice : {FUSE_CAP_SPLICE_READ, FUSE_CAP_SPLICE_WRITE, FUSE_CAP_SPLICE_MOVE})
    want(connection, static_cast<unsigned>(splice), false);
  const auto& on_ready = static_cast<MountedHistory*>(user_data)->on_ready;
  if (on_ready) on_ready();
}

void op_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) noexcept {
  serve(request, "lookup in", parent,
        [name](MountedHistory& mount, const Inode& directory, Reply& reply) {
          const auto found = mount.history.lookup(directory, name);
          if (!found) return reply.error(ESTALE);
          fuse_entry_param entry{};
          entry.entry_timeout = found->absence_fixed ? kFixedSeconds : kListSeconds;
          if (found->node) entry = to_entry(mount, *found->node);
          reply.send(fuse_reply_entry, &entry);
        });
}

void op_forget(fuse_req_t request, fuse_ino_t, uint64_t) noexcept {
  fuse_reply_none(request);
}

void op_forget_multi(fuse_req_t request, size_t, fuse_forget_data*) noexcept {
  fuse_reply_none(request);
}

void op_getattr(fuse_req_t request, fuse_ino_t number, fuse_file_info*) noexcept {
  serve(request, "getattr", number, [](MountedHistory& mount, const Inode& inode, Reply& reply) {
    const auto node = mount.history.node(inode);
    if (!node) return reply.error(ESTALE);
    const struct stat status = to_stat(mount, *node);
    reply.send(fuse_reply_attr, &status, attribute_seconds(*node));
  });
}

void op_readlink(fuse_req_t request, fuse_ino_t number) noexcept {
  serve(request, "readlink", number, [](MountedHistory& mount, const Inode& inode, Reply& reply) {
    const auto target = mount.history.read_link(inode);
    if (!target) return reply.error(ESTALE);
    reply.send(fuse_reply_readlink, target->c_str());
  });
}

void op_opendir(fuse_req_t request, fuse_ino_t number, fuse_file_info* info) noexcept {
  serve(request, "opendir", number, [info](MountedHistory&, const Inode& inode, Reply& reply) {
    // readdir finds out by itself whether the directory is still there.
    info->keep_cache = info->cache_readdir = inode.is_list() ? 0 : 1;
    reply.send(fuse_reply_open, static_cast<const fuse_file_info*>(info));
  });
}

// One answer to readdir or readdirplus, filled up to the size the kernel gave.
class DirectoryPage {
 public:
  DirectoryPage(fuse_req_t request, const MountedHistory& mount, size_t size, Detail detail)
      : request_(request), mount_(mount), detail_(detail), buffer_(size) {}

  // Returns false when there is no room for it.
  bool add(const Listed& listed) {
    const std::string name(listed.name);
    char* const to = buffer_.data() + used_;
    const size_t room = buffer_.size() - used_;
    const auto cookie = static_cast<off_t>(listed.cookie);
    size_t needed = 0;
    if (detail_ == Detail::kNodes) {
      const fuse_entry_param entry =
          listed.node ? to_entry(mount_, *listed.node) : without_node(listed);
      needed = fuse_add_direntry_plus(request_, to, room, name.c_str(), &entry, cookie);
    } else {
      const fuse_entry_param entry = without_node(listed);
      needed = fuse_add_direntry(request_, to, room, name.c_str(), &entry.attr, cookie);
    }
    if (needed > room) return false;
    used_ += needed;
    return true;
  }
  const char* data() const { return buffer_.data(); }
  size_t size() const { return used_; }

 private:
  // Number and kind only; the kernel asks for the rest when somebody wants it.
  static fuse_entry_param without_node(const Listed& listed) {
    fuse_entry_param entry{};
    entry.attr.st_ino = listed.inode.number();
    entry.attr.st_mode = type_bits(listed.kind);
    return entry;
  }

  fuse_req_t request_;
  const MountedHistory& mount_;
  Detail detail_;
  std::vector<char> buffer_;
  size_t used_ = 0;
};

void read_directory(fuse_req_t request, fuse_ino_t number, size_t size, off_t offset,
                    Detail detail) noexcept {
  serve(request, "readdir", number, [=](MountedHistory& mount, const Inode& inode, Reply& reply) {
    DirectoryPage page(request, mount, size, detail);
    const bool is_there =
        mount.history.list(inode, static_cast<uint64_t>(offset), detail,
                           [&page](const Listed& listed) { return page.add(listed); });
    if (!is_there) return reply.error(ESTALE);
    reply.send(fuse_reply_buf, page.data(), page.size());
  });
}

void op_readdir(fuse_req_t request, fuse_ino_t number, size_t size, off_t offset,
                fuse_file_info*) noexcept {
  read_directory(request, number, size, offset, Detail::kNames);
}

void op_readdirplus(fuse_req_t request, fuse_ino_t number, size_t size, off_t offset,
                    fuse_file_info*) noexcept {
  read_directory(request, number, size, offset, Detail::kNodes);
}

void op_releasedir(fuse_req_t request, fuse_ino_t, fuse_file_info*) noexcept {
  fuse_reply_err(request, 0);
}

void op_open(fuse_req_t request, fuse_ino_t number, fuse_file_info* info) noexcept {
  serve(request, "open", number, [info](MountedHistory& mount, const Inode& inode, Reply& reply) {
    if ((info->flags & O_ACCMODE) != O_RDONLY) return reply.error(EROFS);
    std::call_once(mount.first_open, [&mount] {
      if (mount.on_first_open) mount.on_first_open();
    });
    const auto content = mount.history.file(inode);
    if (!content) return reply.error(ESTALE);
    auto file = std::make_unique<OpenFile>(mount.objects, *content, mount.ahead);
    info->fh = reinterpret_cast<uintptr_t>(file.get());
    info->keep_cache = 1;
    info->noflush = 1;
    if (reply.send(fuse_reply_open, static_cast<const fuse_file_info*>(info)))
      static_cast<void>(file.release());
  });
}

// The kernel keeps our pointer as a number from open to release.
OpenFile* file_of(const fuse_file_info* info) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return reinterpret_cast<OpenFile*>(static_cast<uintptr_t>(info->fh));
}

void op_read(fuse_req_t request, fuse_ino_t number, size_t size, off_t offset,
             fuse_file_info* info) noexcept {
  serve(request, "read", number, [=](MountedHistory&, const Inode&, Reply& reply) {
    thread_local ReadBytes bytes;
    const auto pieces = file_of(info)->read(static_cast<uint64_t>(offset), size, bytes);
    reply.send(fuse_reply_iov, pieces.data(), static_cast<int>(pieces.size()));
    bytes.clear();
  });
}

void op_release(fuse_req_t request, fuse_ino_t, fuse_file_info* info) noexcept {
  delete file_of(info);
  fuse_reply_err(request, 0);
}

// `size` 0 asks for the value's length. ls -l asks each file for its access list and its security
// label, unless it is told once that the file system has none at all.
void op_getxattr(fuse_req_t request, fuse_ino_t number, const char* name, size_t size) noexcept {
  if (!std::string_view(name).starts_with("user.")) {
    fuse_reply_err(request, EOPNOTSUPP);
    return;
  }
  serve(request, "getxattr", number, [=](MountedHistory& mount, const Inode& inode, Reply& reply) {
    const auto value = FileFacts(mount.history, mount.objects).get(inode, name);
    if (!value) return reply.error(ENODATA);
    if (size == 0)
      reply.send(fuse_reply_xattr, value->size());
    else if (size < value->size())
      reply.error(ERANGE);
    else
      reply.send(fuse_reply_buf, value->data(), value->size());
  });
}

// A copy of /backups is what is used, and nothing is free.
void op_statfs(fuse_req_t request, fuse_ino_t number) noexcept {
  serve(request, "statfs", number == 0 ? FUSE_ROOT_ID : number,
        [](MountedHistory& mount, const Inode&, Reply& reply) {
          const HistoryTotals totals = mount.history.totals();
          struct statvfs status {};
          status.f_bsize = kBlockBytes;
          status.f_frsize = kSectorBytes;
          status.f_blocks = (totals.bytes + kSectorBytes - 1) / kSectorBytes;
          status.f_files = totals.files;
          status.f_flag = ST_RDONLY;
          status.f_namemax = kNameBytesMax;
          reply.send(fuse_reply_statfs, static_cast<const struct statvfs*>(&status));
        });
}

fuse_lowlevel_ops make_operations() {
  fuse_lowlevel_ops operations{};
  operations.init = op_init;
  operations.lookup = op_lookup;
  operations.forget = op_forget;
  operations.forget_multi = op_forget_multi;
  operations.getattr = op_getattr;
  operations.readlink = op_readlink;
  operations.opendir = op_opendir;
  operations.readdir = op_readdir;
  operations.readdirplus = op_readdirplus;
  operations.releasedir = op_releasedir;
  operations.open = op_open;
  operations.read = op_read;
  operations.release = op_release;
  operations.statfs = op_statfs;
  operations.getxattr = op_getxattr;
  return operations;
}

}  // namespace

const fuse_lowlevel_ops& history_operations() {
  static const fuse_lowlevel_ops operations = make_operations();
  return operations;
}

}  // namespace tsmfs::fs
