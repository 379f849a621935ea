#include "snapshot/stream/stored_stream.h"

#include <cstring>

namespace tsmfs::snapshot {

size_t StoredStream::read(MutableByteView out) {
  slices_.clear();
  file_.read(position_, out.size(), slices_);
  size_t done = 0;
  for (const index::Slice& slice : slices_) {
    std::memcpy(out.data() + done, slice.bytes.data(), slice.bytes.size());
    done += slice.bytes.size();
  }
  position_ += done;
  return done;
}

}  // namespace tsmfs::snapshot
