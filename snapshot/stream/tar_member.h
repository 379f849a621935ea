// The header of a tar member, byte for byte as Go's archive/tar writes it, and so influxd.
#pragma once

#include <cstdint>
#include <string>

#include "index/base/bytes.h"
#include "index/base/timestamp.h"

namespace tsmfs::snapshot {

// Whom the members belong to. influxd writes the owner of its files, by number and by name.
struct TarOwner {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string user, group;  // empty when the number has no name

  // Of this process.
  static TarOwner current();
  // As parse_owner() takes it (index/base/owner.h); what is left out is that of the user, and of
  // this process. Throws: UsageError for a name that this machine does not know.
  static TarOwner parse(const std::string& text);
};

struct TarMemberInfo {
  std::string name;  // no leading slash, and no trailing one
  bool directory = false;
  uint64_t size = 0;
  Timestamp mtime;  // written as whole seconds, rounded to the nearest; before 1970 as 1970
  uint32_t mode = 0644;
};

// One block in the ustar form where that can hold all, otherwise a PAX header before it.
ByteBuffer encode_tar_header(const TarMemberInfo& member, const TarOwner& owner);

}  // namespace tsmfs::snapshot
