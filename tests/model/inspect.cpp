#include "tests/model/inspect.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "index/base/error.h"
#include "index/repository/repository.h"
#include "snapshot/model/tree_walk.h"
#include "snapshot/upkeep/check.h"

namespace tsmfs::model {

namespace {

class Inspection {
 public:
  Inspection(index::Repository& repository, const Expected& expected, bool learn_losses,
             const Answer& answer)
      : repository_(repository),
        expected_(expected),
        learn_losses_(learn_losses),
        answer_(answer) {}

  void look_at(const snapshot::Manifest& manifest) {
    // Its own tag sorts before the pin.
    if (manifest.tags.size() != (manifest.is_pinned() ? 2 : 1))
      return wrong("a snapshot without its tag");
    tag_ = manifest.tags.front();
    answer_("listed " + tag_);
    if (manifest.is_pinned()) answer_("pinned " + tag_);
    const Contents* contents = find_expected();
    if (!contents) return wrong("a snapshot that nobody made");
    incomplete_ = manifest.incomplete();
    seen_.clear();
    broken_ = false;
    read_directory(manifest.data, "", *contents);
    read_directory(manifest.meta, "meta ", {});
    if (broken_ || incomplete_) return;
    for (const auto& [path, number] : *contents)
      if (!seen_.contains(path)) wrong(path + " is not in it");
  }

 private:
  const Contents* find_expected() const {
    if (const auto found = expected_.listed.find(tag_); found != expected_.listed.end())
      return &found->second;
    const auto found = expected_.perhaps_added.find(tag_);
    return found == expected_.perhaps_added.end() ? nullptr : &found->second;
  }

  void wrong(const std::string& what) { answer_(fmt::format("wrong {}: {}", tag_, what)); }

  void read_directory(const index::TreeId& id, const std::string& path, const Contents& contents) {
    try {
      const snapshot::Tree tree = snapshot::read_tree(repository_.objects(), id);
      for (const snapshot::TreeEntry& entry : tree.entries()) {
        if (entry.kind == snapshot::EntryKind::kDirectory)
          read_directory(entry.directory(), path + entry.name.text() + "/", contents);
        else
          read_file(entry, path + entry.name.text(), contents);
      }
    } catch (const Error& error) {
      broken_ = true;
      if (learn_losses_)
        answer_("broken " + tag_);
      else if (!expected_.broken.contains(tag_))
        wrong(fmt::format("directory {}: {}", path, error.what()));
    }
  }

  void read_file(const snapshot::TreeEntry& entry, const std::string& path,
                 const Contents& contents) {
    seen_.insert(path);
    const auto there = contents.find(path);
    const bool is_meta = path.starts_with("meta ");
    if (there == contents.end() && !is_meta) return wrong(path + " ought not to be in it");
    try {
      const std::string& bytes = read(entry);
      if (!is_meta && bytes != content(there->second)) wrong(path + " has other bytes");
    } catch (const Error& error) {
      if (learn_losses_)
        answer_(is_meta ? "broken " + tag_ : fmt::format("lost {}", there->second));
      else if (!expected_.broken.contains(tag_) &&
               (is_meta || !expected_.lost.contains(there->second)))
        wrong(fmt::format("{} (content {}): {}", path, is_meta ? 0 : there->second, error.what()));
    }
  }

  // Throws: Error.
  const std::string& read(const snapshot::TreeEntry& entry) {
    const auto known = files_.find(entry.file());
    if (known != files_.end()) return known->second;
    std::string bytes;
    const auto reader = repository_.objects().open_file(entry.file());
    std::vector<index::Slice> slices;
    reader.read(0, reader.size(), slices);
    for (const index::Slice& slice : slices) bytes += as_text(slice.bytes);
    return files_.emplace(entry.file(), std::move(bytes)).first->second;
  }

  index::Repository& repository_;
  const Expected& expected_;
  const bool learn_losses_;
  const Answer& answer_;
  std::string tag_;
  bool incomplete_ = false, broken_ = false;
  std::set<std::string> seen_;
  std::map<index::FileId, std::string> files_;
};

void check(index::Repository& repository, const Answer& answer) {
  snapshot::Catalog catalog(repository.storage());
  snapshot::CheckOptions options;
  options.read_data = index::ReadData::kYes;
  options.on_damage = [&](const std::string& what) { answer("wrong check: " + what); };
  check_repository(repository, catalog, options, {});
}

}  // namespace

void inspect(const std::filesystem::path& root, const Expected& expected, bool learn_losses,
             const Answer& answer) {
  const auto repository = index::Repository::open_reader({root});
  snapshot::Catalog catalog(repository->storage());
  const auto state = catalog.refresh();
  for (const auto* messages : {&state->damaged, &state->doubts})
    for (const std::string& message : *messages) answer("wrong " + message);
  Inspection inspection(*repository, expected, learn_losses, answer);
  for (const auto& one : state->snapshots) inspection.look_at(*one);
  if (!learn_losses && !expected.has_losses()) check(*repository, answer);
}

}  // namespace tsmfs::model
