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
  // Neighbouring runs mostly lie in the pack and the frame of the one before.
  std::shared_ptr<const PackReader> pack;
  FramePtr frame;
  size_t frame_number = SIZE_MAX;
  for (size_t i = recipe->run_at(offset); left > 0; ++i) {
    const RecipeRun& run = recipe->runs()[i];
    uint64_t skip = offset - run.file_offset;
    if (run.pack == RecipeRun::kLiteral) {
      const uint64_t count = std::min(left, run.length - skip);
      out.push_back({recipe->literals().subspan(run.start + skip, count), recipe});
      offset += count;
      left -= count;
      continue;
    }
    const PackId& id = recipe->packs()[run.pack];
    if (!pack || pack->header().id != id) {
      pack = objects_->packs().open(id);
      frame_number = SIZE_MAX;
    }
    while (skip < run.length && left > 0) {
      const uint64_t logical = run.start + skip;
      const bool same = frame_number != SIZE_MAX &&
                        logical >= pack->frames()[frame_number].logical_start &&
                        logical < pack->frames()[frame_number].logical_end();
      if (!same) {
        frame_number = pack->frame_at(logical);
        frame = objects_->frames().get(*pack, frame_number);
      }
      const FrameEntry& entry = pack->frames()[frame_number];
      const uint64_t count = std::min({left, run.length - skip, entry.logical_end() - logical});
      out.push_back({frame->view().subspan(logical - entry.logical_start, count), frame});
      skip += count;
      offset += count;
      left -= count;
    }
  }
}

}  // namespace tsmfs::index
