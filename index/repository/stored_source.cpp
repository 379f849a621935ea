#include "index/repository/stored_source.h"

namespace tsmfs::index {

ByteView StoredSource::view(uint64_t offset, size_t length) {
  slices_.clear();
  file_.read(offset, length, slices_);
  if (slices_.empty()) return {};
  if (slices_.size() == 1) return slices_.front().bytes;
  gathered_.clear();
  for (const Slice& slice : slices_) append(gathered_, slice.bytes);
  return gathered_;
}

}  // namespace tsmfs::index
