// A name from outside (of a database, a retention policy, a server, a file) that may stand in a
// directory. What names something on disk takes this type, so that no unchecked text reaches a
// path.
//
// Tree entries, shard paths, restore plans, uploads and manifests of portable backups hold Names. A
// metastore keeps its names as they are, so that one that lies can be stored byte for byte and
// described: name_problems() says what of it cannot be backed up, and choose_shards(), through
// which every restore goes, refuses it.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tsmfs {

constexpr size_t kNameBytesMax = 255;  // NAME_MAX

// True for a name that may stand in a directory: 1 to 255 bytes, no "/", no NUL, not "." or "..".
bool is_valid_name(std::string_view name);

// True for a valid name that influxd takes for a database or a retention policy: it refuses
// backslashes and control characters too.
bool is_influxd_name(std::string_view name);

// Always valid. Control characters may be in it, since a file system takes them: quote() it for a
// person.
class Name {
 public:
  // Nothing when is_valid_name() says no.
  static std::optional<Name> parse(std::string_view text);
  // Throws: CorruptError, saying that `object`, as "the snapshot's metastore", holds a name that is
  // none.
  static Name require(std::string_view text, std::string_view object);

  // One that stands in our own code, checked as any other. Throws: as require().
  template <size_t kBytes>
  Name(const char (&literal)[kBytes])  // NOLINT(google-explicit-constructor)
      : Name(require(std::string_view(literal, kBytes - 1), "tsmfs")) {}

  // No moves: a name that was moved from would be empty.
  Name(const Name&) = default;
  Name& operator=(const Name&) = default;
  ~Name() = default;

  const std::string& text() const { return text_; }
  bool ends_with(std::string_view end) const { return text_.ends_with(end); }
  // NOLINTBEGIN(google-explicit-constructor): a name is a text; only the way back is checked.
  operator std::string_view() const { return text_; }
  operator const std::string&() const { return text_; }
  // NOLINTEND(google-explicit-constructor)

  friend bool operator==(const Name&, const Name&) = default;
  friend auto operator<=>(const Name&, const Name&) = default;
  template <std::convertible_to<std::string_view> Text>
  requires(!std::same_as<Text, Name>) friend bool operator==(const Name& name, const Text& text) {
    return name.text_ == std::string_view(text);
  }
  template <std::convertible_to<std::string_view> Text>
  requires(!std::same_as<Text, Name>) friend std::strong_ordering operator<=>(const Name& name,
                                                                              const Text& text) {
    return std::string_view(name.text_) <=> std::string_view(text);
  }
  friend std::filesystem::path operator/(const std::filesystem::path& directory, const Name& name) {
    return directory / name.text_;
  }

 private:
  explicit Name(std::string_view text) : text_(text) {}
  std::string text_;
};

// A path as a server writes it, with slashes: on Windows it has backslashes in their place. One
// that has a slash is of another system, where a backslash may belong to a name.
std::string with_slashes(std::string path);

}  // namespace tsmfs

template <>
struct fmt::formatter<tsmfs::Name> : fmt::formatter<std::string_view> {
  template <typename FormatContext>
  auto format(const tsmfs::Name& name, FormatContext& context) const {
    return fmt::formatter<std::string_view>::format(name.text(), context);
  }
};
