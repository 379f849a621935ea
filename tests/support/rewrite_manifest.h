// Manifests as no program of today changes them.
#pragma once

#include <memory>

#include "index/format/object_keys.h"
#include "index/storage/storage.h"
#include "snapshot/model/catalog.h"

namespace tsmfs::test {

// Puts the manifest in the place of the one with its id: for what only another server, another time
// or an earlier program would have written. A catalog that has read it does not see the change.
inline snapshot::SnapshotPtr rewrite_manifest(index::Storage& storage,
                                              const snapshot::Manifest& manifest) {
  storage.replace(index::snapshot_key(manifest.id), as_bytes(snapshot::encode_manifest(manifest)));
  return std::make_shared<const snapshot::Manifest>(manifest);
}

}  // namespace tsmfs::test
