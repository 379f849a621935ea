#include "index/file_reader.h"

#include <algorithm>

namespace tsmfs::index {

FileReader::FileReader(std::shared_ptr<const Recipe> recipe, PackStore& packs, FrameCache& frames)
    : recipe_(std::move(recipe)), packs_(packs), frames_(frames) {}

void FileReader::read(uint64_t offset, size_t length, std::vector<Slice>& out) const {
  if (offset >= size()) return;
  uint64_t left = std::min<uint64_t>(length, size() - offset);
  // Neighbouring runs mostly lie in the pack and the frame of the one before.
  std::shared_ptr<const PackReader> pack;
  FramePtr frame;
  size_t frame_number = SIZE_MAX;
  for (size_t i = recipe_->run_at(offset); left > 0; ++i) {
    const RecipeRun& run = recipe_->runs()[i];
    uint64_t skip = offset - run.file_offset;
    if (run.pack == RecipeRun::kLiteral) {
      const uint64_t count = std::min(left, run.length - skip);
      out.push_back({recipe_->literals().subspan(run.start + skip, count), recipe_});
      offset += count;
      left -= count;
      continue;
    }
    const PackId& id = recipe_->packs()[run.pack];
    if (!pack || pack->header().id != id) {
      pack = packs_.open(id);
      frame_number = SIZE_MAX;
    }
    while (skip < run.length && left > 0) {
      const uint64_t logical = run.start + skip;
      const bool same = frame_number != SIZE_MAX &&
                        logical >= pack->frames()[frame_number].logical_start &&
                        logical < pack->frames()[frame_number].logical_end();
      if (!same) {
        frame_number = pack->frame_at(logical);
        frame = frames_.get(*pack, frame_number);
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
