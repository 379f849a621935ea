#include "fs/live_objects.h"

#include "index/base/error.h"

namespace tsmfs::fs {

void LiveObjects::catch_up() {
  MutexLock lock(catching_up_);
  index_.catch_up();
}

template <typename Read>
auto LiveObjects::read_or_catch_up(const Read& read) {
  try {
    return read();
  } catch (const CorruptError&) {
    catch_up();
  } catch (const IoError&) {
    catch_up();
  }
  return read();
}

ByteBuffer LiveObjects::read_tree(const index::TreeId& id) {
  return read_or_catch_up([&] { return objects_.read_tree(id); });
}

index::FileReader LiveObjects::open_file(const index::FileId& id) {
  return read_or_catch_up([&] { return objects_.open_file(id); });
}

index::FileReader LiveObjects::open_file_anew(const index::FileId& id) {
  catch_up();
  return objects_.open_file(id);
}

}  // namespace tsmfs::fs
