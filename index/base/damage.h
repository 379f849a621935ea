// What a read finds damaged, told from what ends the work.
#pragma once

#include <optional>
#include <string>

#include "index/base/directory.h"
#include "index/base/error.h"

namespace tsmfs {

struct Damage {
  std::string what;
  bool may_come_back = false;  // as of directory.h: it may be read another time
  bool newer = false;          // NewerFormatError: a newer program may read it
};

// What is wrong with what `read` reads; nothing when all is well. Throws: what it throws but
// CorruptError, and IoError of an errno that `is_damage` takes for damage.
template <typename Read, typename IsDamage>
std::optional<Damage> find_damage(const Read& read, const IsDamage& counts) {
  try {
    read();
    return std::nullopt;
  } catch (const NewerFormatError& error) {
    return Damage{error.what(), /*may_come_back=*/true, /*newer=*/true};
  } catch (const CorruptError& error) {
    return Damage{error.what()};
  } catch (const IoError& error) {
    if (!counts(error.error_number())) throw;
    return Damage{error.what(), may_come_back(error.error_number())};
  }
}
template <typename Read>
std::optional<Damage> find_damage(const Read& read) {
  return find_damage(read, is_damage);
}

// Before anything is changed. Throws: UsageError for what a newer program may read, since it may
// need anything.
inline void refuse_newer(const Damage& damage) {
  if (damage.newer) throw UsageError(damage.what + "; nothing was changed", "use a newer tsmfs");
}

}  // namespace tsmfs
