#include "snapshot/model/tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "index/base/quote.h"

namespace tsmfs::snapshot {

namespace {

constexpr uint8_t kTreeVersion = 1;
constexpr uint32_t kModeMax = 07777;
constexpr size_t kTreeEntryBytesMin = 2 + 1 + 1 + 1 + 1 + index::kIdBytes;

void encode_entry(const TreeEntry& entry, ByteWriter& writer) {
  writer.u8(static_cast<uint8_t>(entry.kind));
  writer.sized(as_bytes(entry.name.text()));
  writer.varint(entry.mode);
  writer.svarint(entry.mtime.unix_ns);
  writer.varint(entry.size);
  if (entry.kind == EntryKind::kDirectory) {
    writer.varint(entry.below);
    writer.raw(entry.directory().view());
  } else {
    writer.raw(entry.file().view());
  }
}

TreeEntry decode_entry(ByteReader& reader, std::string_view object) {
  const auto kind = static_cast<EntryKind>(reader.u8());
  if (kind != EntryKind::kFile && kind != EntryKind::kDirectory)
    throw NewerFormatError(object, "an entry of another kind");
  const auto name = Name::parse(as_text(reader.sized(kNameBytesMax)));
  if (!name) reader.fail("a name that cannot stand in a directory");
  TreeEntry entry{*name, kind, 0, {}, 0, 0, {}};
  entry.mode = static_cast<uint32_t>(reader.varint(kModeMax));
  entry.mtime.unix_ns = reader.svarint();
  entry.size = reader.varint(INT64_MAX);
  if (entry.kind == EntryKind::kDirectory) {
    if (entry.mtime.unix_ns != 0) reader.fail("a directory with a time");
    entry.below = reader.varint(UINT32_MAX);
    entry.id = index::TreeId::from(reader.raw(index::kIdBytes));
  } else {
    entry.id = index::FileId::from(reader.raw(index::kIdBytes));
  }
  return entry;
}

}  // namespace

Tree::Tree(std::vector<TreeEntry> entries) : entries_(std::move(entries)) {
  std::sort(entries_.begin(), entries_.end(),
            [](const TreeEntry& a, const TreeEntry& b) { return a.name < b.name; });
  for (size_t i = 1; i < entries_.size(); ++i)
    if (entries_[i].name == entries_[i - 1].name)
      throw UsageError(
          fmt::format("two entries of one directory are named {}", quote(entries_[i].name)));
  count();
}

Tree Tree::decode(ByteView encoded, std::string_view object) {
  ByteReader reader(encoded, object);
  if (reader.u8() != kTreeVersion) throw NewerFormatError(object, "another version of directory");
  const uint64_t count = reader.count(kTreeEntryBytesMin);
  Tree tree;
  tree.entries_.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    tree.entries_.push_back(decode_entry(reader, object));
    if (i > 0 && tree.entries_[i].name <= tree.entries_[i - 1].name)
      reader.fail("entries out of order");
  }
  reader.expect_end();
  tree.count();
  if (tree.totals_.size > INT64_MAX || tree.totals_.below > UINT32_MAX)
    reader.fail("more below it than a tree may hold");
  return tree;
}

ByteBuffer Tree::encode() const {
  ByteBuffer out;
  ByteWriter writer(out);
  writer.u8(kTreeVersion);
  writer.varint(entries_.size());
  for (const TreeEntry& entry : entries_) encode_entry(entry, writer);
  return out;
}

const TreeEntry* Tree::find(std::string_view name) const {
  const auto found = std::lower_bound(
      entries_.begin(), entries_.end(), name,
      [](const TreeEntry& entry, std::string_view value) { return entry.name < value; });
  return found != entries_.end() && found->name == name ? &*found : nullptr;
}

void Tree::count() {
  first_ordinals_.reserve(entries_.size());
  for (const TreeEntry& entry : entries_) {
    first_ordinals_.push_back(totals_.below + 1);
    // Saturates, so that hostile sums stay over the limits that decode() checks.
    totals_.size = entry.size > UINT64_MAX - totals_.size ? UINT64_MAX : totals_.size + entry.size;
    totals_.below += 1 + std::min<uint64_t>(entry.below, UINT32_MAX);
    directories_ += entry.kind == EntryKind::kDirectory ? 1 : 0;
  }
}

}  // namespace tsmfs::snapshot
