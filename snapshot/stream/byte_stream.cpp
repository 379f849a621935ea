#include "snapshot/stream/byte_stream.h"

#include <algorithm>

namespace tsmfs::snapshot {

namespace {

constexpr size_t kStreamStepBytes = size_t{1} << 20;

}  // namespace

size_t read_up_to(ByteStream& stream, MutableByteView out) {
  size_t done = 0;
  while (done < out.size()) {
    const size_t count = stream.read(out.subspan(done));
    if (count == 0) break;
    done += count;
  }
  return done;
}

void read_into(ByteStream& stream, uint64_t bytes_max, ByteBuffer& out) {
  const uint64_t target = out.size() + bytes_max;
  for (bool more = true; more && out.size() < target;) {
    const size_t old_size = out.size();
    const size_t step =
        static_cast<size_t>(std::min<uint64_t>(kStreamStepBytes, target - old_size));
    out.resize(old_size + step);
    const size_t count = read_up_to(stream, MutableByteView(out).subspan(old_size));
    out.resize(old_size + count);
    more = count == step;
  }
}

}  // namespace tsmfs::snapshot
