#include "index/repository/object_reader.h"

#include <exception>

#include "index/base/error.h"
#include "index/base/log.h"

namespace tsmfs::index {

ObjectReader::ObjectReader(Lookup& lookup, PackStore& packs, const Config& config,
                           size_t cache_bytes_max)
    : lookup_(lookup),
      packs_(packs),
      key_(config.key),
      frames_(cache_bytes_max, config.frame_bytes) {}

void ObjectReader::catch_up() {
  MutexLock lock(catching_up_);
  lookup_.catch_up();
}

// A failure to catch up hides no other: the first one says what is wrong with what was wanted.
template <typename Read>
auto ObjectReader::read_or_catch_up(const Read& read) {
  std::exception_ptr first;
  try {
    return read();
  } catch (const CorruptError&) {
    first = std::current_exception();
  } catch (const IoError&) {
    first = std::current_exception();
  }
  try {
    catch_up();
  } catch (const Error& error) {
    log::debug("{}", error.what());
    std::rethrow_exception(first);
  }
  return read();
}

ByteBuffer ObjectReader::read_tree(const TreeId& id) {
  return read_or_catch_up([&] { return find_tree(id); });
}

std::shared_ptr<const Recipe> ObjectReader::read_recipe(const FileId& id) {
  return read_or_catch_up([&] { return find_recipe(id); });
}

std::shared_ptr<const Recipe> ObjectReader::read_newest_recipe(const FileId& id) {
  catch_up();
  return find_recipe(id);
}

FileReader ObjectReader::open_file(const FileId& id) {
  return FileReader(read_recipe(id), *this);
}

ByteBuffer ObjectReader::find_tree(const TreeId& id) {
  const auto place = lookup_.find_tree(id);
  if (!place)
    throw CorruptError("tree node " + id.hex() + " is not in the index",
                       "run tsmfs rebuild-index, then tsmfs check");
  ByteBuffer encoded = read_blob(*place);
  if (key_.digest<TreeId>(encoded) != id)
    throw CorruptError("tree node " + id.hex() + " is damaged: its digest is wrong",
                       "run tsmfs check");
  return encoded;
}

std::shared_ptr<const Recipe> ObjectReader::find_recipe(const FileId& id) {
  const auto place = lookup_.find_file(id);
  if (!place)
    throw CorruptError("the recipe of file " + id.hex() + " is not in the index",
                       "run tsmfs rebuild-index, then tsmfs check");
  const std::string name = "the recipe of file " + id.hex();
  auto recipe = std::make_shared<const Recipe>(Recipe::decode(read_blob(place->recipe), name));
  if (recipe->file() != id)
    throw CorruptError(name + " is damaged: it is that of file " + recipe->file().hex(),
                       "run tsmfs check");
  return recipe;
}

ByteBuffer ObjectReader::read_blob(const BlobPlace& place) {
  const auto pack = packs_.open(place.pack);
  const size_t number = pack->frame_at(place.logical_start);
  const FrameEntry& entry = pack->frames()[number];
  if (uint64_t{place.logical_start} + place.length > entry.logical_end())
    throw CorruptError(pack->name() + " does not hold a blob where the index names one",
                       "run tsmfs rebuild-index");
  const FramePtr frame = frames_.get(*pack, number);
  const ByteView blob =
      frame->view().subspan(place.logical_start - entry.logical_start, place.length);
  return {blob.begin(), blob.end()};
}

}  // namespace tsmfs::index
