#include "snapshot/stream/tar_member.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "index/base/owner.h"
#include "snapshot/stream/tar_fields.h"
#include "snapshot/stream/tar_header.h"

namespace tsmfs::snapshot {

namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0; });
}

// What Go leaves of a name in a field that holds ASCII only.
std::string to_ascii(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return c > 0; });
  return out;
}

bool fits_octal(uint64_t value, const tar_field::Field& field) {
  return value < uint64_t{1} << (field.length - 1) * 3;
}

class Block {
 public:
  void text(const tar_field::Field& field, std::string_view value) {
    const size_t count = std::min(value.size(), field.length);
    std::memcpy(bytes_.data() + field.offset, value.data(), count);
    // A cut name must not look like a directory's.
    if (value.size() > field.length)
      for (size_t end = field.length; end > 0 && value[end - 1] == '/'; --end)
        bytes_[field.offset + end - 1] = std::byte{0};
  }
  void octal(const tar_field::Field& field, uint64_t value) {
    text(field, fmt::format("{:0{}o}", fits_octal(value, field) ? value : 0, field.length - 1));
  }
  void type(char value) { bytes_[tar_field::kType.offset] = static_cast<std::byte>(value); }
  void seal_to(ByteBuffer& out) {
    text(tar_field::kMagic, tar_field::kPosixMagic);
    text(tar_field::kChecksum, tar_checksum(bytes_));
    append(out, bytes_);
  }

 private:
  TarBlock bytes_{};
};

struct SplitName {
  std::string_view prefix, name;
};

// How ustar holds a long name: cut at a slash, as far right as the prefix allows.
std::optional<SplitName> split_name(std::string_view name) {
  if (name.size() <= tar_field::kName.length || !is_ascii(name)) return std::nullopt;
  size_t end = std::min(name.size(), tar_field::kPrefix.length + 1);
  if (end == name.size() && name.back() == '/') --end;
  const size_t slash = name.substr(0, end).rfind('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  const std::string_view rest = name.substr(slash + 1);
  if (rest.empty() || rest.size() > tar_field::kName.length) return std::nullopt;
  return SplitName{name.substr(0, slash), rest};
}

// "12 key=value\n", where 12 counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;  // space, '=' and newline
  size_t length = rest;
  while (std::to_string(length).size() + rest != length)
    length = std::to_string(length).size() + rest;
  return fmt::format("{} {}={}\n", length, key, value);
}

void append_pax_member(const std::string& name, const std::string& records, ByteBuffer& out) {
  const size_t slash = name.find_last_of('/');
  const size_t file = slash == std::string::npos ? 0 : slash + 1;
  std::string pax_name = to_ascii(name.substr(0, file) + "PaxHeaders.0/" + name.substr(file));
  pax_name.resize(std::min(pax_name.size(), tar_field::kName.length));
  while (pax_name.ends_with('/')) pax_name.pop_back();
  Block block;
  block.text(tar_field::kName, pax_name);
  for (const tar_field::Field& field :
       {tar_field::kMode, tar_field::kUid, tar_field::kGid, tar_field::kMtime})
    block.octal(field, 0);
  block.octal(tar_field::kSize, records.size());
  block.type('x');
  block.seal_to(out);
  append(out, as_bytes(records));
  out.resize(out.size() + tar_padding(records.size()));
}

uint64_t round_to_seconds(Timestamp time) {
  const int64_t seconds = time.unix_ns / kNanosecondsPerSecond;
  const bool up = time.unix_ns % kNanosecondsPerSecond >= kNanosecondsPerSecond / 2;
  return static_cast<uint64_t>(std::max<int64_t>(seconds + (up ? 1 : 0), 0));
}

// What only a PAX header can say, by key.
std::map<std::string, std::string> pax_records(const TarMemberInfo& member, const TarOwner& owner,
                                               const std::string& name) {
  std::map<std::string, std::string> records;
  const bool plain = name.size() <= tar_field::kName.length && is_ascii(name);
  if (!plain && !split_name(name)) records["path"] = name;
  if (!fits_octal(member.size, tar_field::kSize)) records["size"] = std::to_string(member.size);
  if (!fits_octal(owner.uid, tar_field::kUid)) records["uid"] = std::to_string(owner.uid);
  if (!fits_octal(owner.gid, tar_field::kGid)) records["gid"] = std::to_string(owner.gid);
  const auto fits = [](const std::string& text) {
    return text.size() <= tar_field::kUser.length && is_ascii(text);
  };
  if (!fits(owner.user)) records["uname"] = owner.user;
  if (!fits(owner.group)) records["gname"] = owner.group;
  if (!records.empty() && !plain) records["path"] = name;
  return records;
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

// NOLINTBEGIN(concurrency-mt-unsafe): an owner is looked up by the command's first thread only

void set_user(TarOwner& owner, uid_t uid) {
  owner.uid = uid;
  const passwd* found = ::getpwuid(uid);
  owner.user = found == nullptr ? "" : text_or_empty(found->pw_name);
}

void set_group(TarOwner& owner, gid_t gid) {
  owner.gid = gid;
  const struct ::group* found = ::getgrgid(gid);
  owner.group = found == nullptr ? "" : text_or_empty(found->gr_name);
}

}  // namespace

TarOwner TarOwner::current() {
  TarOwner owner;
  set_user(owner, ::geteuid());
  set_group(owner, ::getegid());
  return owner;
}

TarOwner TarOwner::parse(const std::string& text) {
  const Owner wanted = parse_owner(text);
  TarOwner owner = current();
  if (wanted.user) set_user(owner, *wanted.user);
  // A user that has no name has a group of its number.
  if (const auto group = wanted.group ? wanted.group : wanted.user) set_group(owner, *group);
  return owner;
}

// NOLINTEND(concurrency-mt-unsafe)

ByteBuffer encode_tar_header(const TarMemberInfo& member, const TarOwner& owner) {
  ByteBuffer out;
  const std::string name = member.directory ? member.name + "/" : member.name;
  std::string records;
  for (const auto& [key, value] : pax_records(member, owner, name))
    records += pax_record(key, value);
  Block block;
  if (!records.empty()) {
    append_pax_member(name, records, out);
    block.text(tar_field::kName, to_ascii(name));
  } else if (const auto split = split_name(name)) {
    block.text(tar_field::kName, split->name);
    block.text(tar_field::kPrefix, split->prefix);
  } else {
    block.text(tar_field::kName, name);
  }
  block.octal(tar_field::kMode, member.mode);
  block.octal(tar_field::kUid, owner.uid);
  block.octal(tar_field::kGid, owner.gid);
  block.octal(tar_field::kSize, member.size);
  block.octal(tar_field::kMtime, round_to_seconds(member.mtime));
  block.type(member.directory ? '5' : '0');
  block.text(tar_field::kUser, to_ascii(owner.user));
  block.text(tar_field::kGroup, to_ascii(owner.group));
  block.octal(tar_field::kMajor, 0);
  block.octal(tar_field::kMinor, 0);
  block.seal_to(out);
  return out;
}

}  // namespace tsmfs::snapshot
