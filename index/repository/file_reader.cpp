#include "index/repository/file_reader.h"

#include <algorithm>

#include "index/base/error.h"
#include "index/base/log.h"
#include "index/repository/object_reader.h"

namespace tsmfs::index {

namespace {

// Null when it cannot be had: what is wrong then is what asked for it.
std::shared_ptr<const Recipe> newest_recipe(ObjectReader& objects, const FileId& id) {
  try {
    return objects.read_newest_recipe(id);
  } catch (const Error& error) {
    log::debug("{}", error.what());
    return nullptr;
  }
}

// Takes pieces of packs as slices of cached frames. Neighbouring pieces mostly lie in the pack and
// the frame of the one before.
class FrameWalk {
 public:
  FrameWalk(ObjectReader& objects, std::vector<Slice>& out) : objects_(objects), out_(out) {}

  void take(const PackId& id, uint64_t logical, uint64_t length) {
    if (!pack_ || pack_->header().id != id) {
      pack_ = objects_.packs().open(id);
      entry_ = nullptr;
    }
    while (length > 0) {
      if (!entry_ || logical < entry_->logical_start || logical >= entry_->logical_end()) {
        const size_t number = pack_->frame_at(logical);
        frame_ = objects_.frames().get(*pack_, number);
        entry_ = &pack_->frames()[number];
      }
      const uint64_t count = std::min(length, entry_->logical_end() - logical);
      out_.push_back({frame_->view().subspan(logical - entry_->logical_start, count), frame_});
      logical += count;
      length -= count;
    }
  }

 private:
  ObjectReader& objects_;
  std::vector<Slice>& out_;
  std::shared_ptr<const PackReader> pack_;
  FramePtr frame_;
  const FrameEntry* entry_ = nullptr;  // of frame_, in pack_
};

}  // namespace

FileReader::FileReader(RecipePtr recipe, ObjectReader& objects)
    : id_(recipe->file()),
      size_(recipe->size()),
      objects_(&objects),
      recipe_(std::make_shared<std::atomic<RecipePtr>>(std::move(recipe))) {}

void FileReader::read(uint64_t offset, size_t length, std::vector<Slice>& out) const {
  const size_t before = out.size();
  const RecipePtr recipe = recipe_->load();
  try {
    return read_by(recipe, offset, length, out);
  } catch (const MissingError&) {
    const RecipePtr newest = newest_recipe(*objects_, id_);
    if (!newest || newest->packs() == recipe->packs()) throw;  // the pack is lost
    recipe_->store(newest);
  }
  out.resize(before);
  read_by(recipe_->load(), offset, length, out);
}

void FileReader::read_by(const RecipePtr& recipe, uint64_t offset, size_t length,
                         std::vector<Slice>& out) const {
  if (offset >= size_) return;
  uint64_t left = std::min<uint64_t>(length, size_ - offset);
  FrameWalk frames(*objects_, out);
  for (size_t number = recipe->run_at(offset); left > 0; ++number) {
    const uint64_t skip = offset - recipe->run_offset(number);
    const uint64_t count = std::min(left, recipe->run_length(number) - skip);
    visit_run(
        recipe->run(number),
        [&](const LiteralRun& run) {
          out.push_back({run.bytes.subspan(skip, count), recipe});
        },
        [&](const CopyRun& run) { frames.take(run.pack, run.start + skip, count); });
    offset += count;
    left -= count;
  }
}

}  // namespace tsmfs::index
