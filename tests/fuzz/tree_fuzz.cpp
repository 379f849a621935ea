// Tree::decode: takes only the one encoding of a directory, and numbers its entries without gaps.
#include <vector>

#include "index/base/error.h"
#include "snapshot/model/tree.h"
#include "tests/fuzz/fuzz_target.h"

namespace tsmfs::fuzz {
namespace {

using namespace snapshot;

void check_entries(const Tree& tree) {
  uint64_t next = 1, size = 0;
  for (size_t i = 0; i < tree.entries().size(); ++i) {
    const TreeEntry& entry = tree.entries()[i];
    require(is_valid_name(entry.name), "a name can stand in a directory");
    require(tree.find(entry.name) == &entry, "an entry is found by its name");
    require(tree.first_ordinals()[i] == next, "entries are numbered without gaps");
    require((entry.kind == EntryKind::kFile) == std::holds_alternative<index::FileId>(entry.id),
            "an id is of its entry's kind");
    require(entry.kind == EntryKind::kDirectory || entry.below == 0, "nothing is below a file");
    next += 1 + entry.below;
    size += entry.size;
  }
  require(tree.totals().below == next - 1 && tree.totals().size == size,
          "the totals are the entries'");
}

void try_tree(ByteView input) {
  const Tree tree = Tree::decode(input, "input");
  check_entries(tree);
  require(as_text(tree.encode()) == as_text(input), "there is one encoding of a directory");
  std::vector<TreeEntry> reversed(tree.entries().rbegin(), tree.entries().rend());
  require(Tree(std::move(reversed)).encode() == tree.encode(),
          "the order of entries makes no difference");
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tsmfs::fuzz::takes<tsmfs::CorruptError>(
      [&] { tsmfs::fuzz::try_tree(tsmfs::fuzz::input_bytes(data, size)); });
  return 0;
}
