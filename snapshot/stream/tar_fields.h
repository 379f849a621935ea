// Where the fields of a tar header lie: POSIX.1-2017, pax, "ustar Interchange Format".
#pragma once

#include <cstddef>
#include <string_view>

namespace tsmfs::snapshot::tar_field {

struct Field {
  size_t offset;
  size_t length;
  const char* name;
};

// With the version behind it.
inline constexpr std::string_view kPosixMagic(
    "ustar\0"
    "00",
    8);
inline constexpr std::string_view kGnuMagic("ustar  \0", 8);

inline constexpr Field kName{0, 100, "name"};
inline constexpr Field kMode{100, 8, "mode"};
inline constexpr Field kUid{108, 8, "uid"};
inline constexpr Field kGid{116, 8, "gid"};
inline constexpr Field kSize{124, 12, "size"};
inline constexpr Field kMtime{136, 12, "mtime"};
inline constexpr Field kChecksum{148, 8, "checksum"};
inline constexpr Field kType{156, 1, "type"};
inline constexpr Field kMagic{257, 8, "magic"};
inline constexpr Field kUser{265, 32, "user"};
inline constexpr Field kGroup{297, 32, "group"};
inline constexpr Field kMajor{329, 8, "device"};
inline constexpr Field kMinor{337, 8, "device"};
inline constexpr Field kPrefix{345, 155, "prefix"};

}  // namespace tsmfs::snapshot::tar_field
