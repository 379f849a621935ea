#include "index/storage/storage.h"

#include <fmt/format.h>

#include <cerrno>

#include "index/base/error.h"

namespace tsmfs::index {

std::unique_ptr<StoredObject> Storage::open_existing(const std::string& key) const {
  auto object = open(key);
  if (!object) throw IoError("cannot open " + location(key), ENOENT);
  return object;
}

std::optional<std::string> Storage::get(const std::string& key, uint64_t bytes_max) const {
  const auto object = open(key);
  if (!object) return std::nullopt;
  if (object->size() > bytes_max)
    throw CorruptError(fmt::format("{} holds {} bytes, more than the {} allowed", location(key),
                                   object->size(), bytes_max));
  std::string content(object->size(), '\0');
  object->read(0, {reinterpret_cast<std::byte*>(content.data()), content.size()});
  return content;
}

void Storage::put(const std::string& key, ByteView bytes) {
  const auto object = create(key);
  object->write(bytes);
  object->publish();
}

}  // namespace tsmfs::index
