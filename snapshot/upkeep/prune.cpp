#include "snapshot/upkeep/prune.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "index/base/damage.h"
#include "index/base/error.h"
#include "index/base/log.h"
#include "index/format/object_keys.h"
#include "index/rewrite/live_ranges.h"
#include "index/rewrite/pack_rewriter.h"
#include "index/rewrite/prune_plan.h"
#include "snapshot/upkeep/reachable.h"

namespace tsmfs::snapshot {

namespace {

// Packs of so many bytes are replaced at once: bounds memory, and the space that old and new packs
// take beside each other. Each time costs a walk over all recipes.
constexpr uint64_t kLogicalBytesAtOnce = uint64_t{4} << 30;

class Prune {
 public:
  Prune(index::Repository& repository, Catalog& catalog, const PruneOptions& options,
        std::stop_token stop)
      : repository_(repository), catalog_(catalog), options_(options), stop_(std::move(stop)) {}

  PruneReport run() {
    require_known_packs();
    mark();
    index::PrunePlan plan = make_plan();
    if (options_.dry_run) {
      report_.written_bytes = report_.rewritten_bytes;
      for (const auto& pack : plan.rewrite) report_.written_bytes -= pack.unused_file_bytes();
      return report_;
    }
    repository_.require_writer();
    forget_unneeded();
    if (!plan.remove.empty()) {
      say(fmt::format("deleting {} packs that no snapshot needs", plan.remove.size()));
      remove(plan.remove);
    }
    // Neighbours first: what one backup stored stays together.
    std::ranges::sort(plan.rewrite, {}, &index::PackUse::number);
    for (size_t begin = 0, end = 0; begin < plan.rewrite.size(); begin = end) {
      for (uint64_t bytes = 0; end < plan.rewrite.size() && bytes < kLogicalBytesAtOnce; ++end)
        bytes += plan.rewrite[end].logical_bytes;
      say(fmt::format("rewriting packs {} to {} of {}", begin + 1, end, plan.rewrite.size()));
      rewrite({plan.rewrite.begin() + static_cast<ptrdiff_t>(begin),
               plan.rewrite.begin() + static_cast<ptrdiff_t>(end)});
    }
    return report_;
  }

 private:
  void say(const std::string& step) const {
    if (options_.on_step) options_.on_step(step);
  }

  // Finds what snapshots need, and refuses when some of it cannot be seen.
  void mark() {
    say("finding what the snapshots need");
    const auto state = catalog_.refresh();
    needed_ = find_reachable(repository_.objects(), *state, stop_);
    needed_.may_come_back |= state->may_come_back;
    std::vector<std::string> lost = state->damaged;
    lost.insert(lost.end(), needed_.unreadable.begin(), needed_.unreadable.end());
    for (const index::TreeId& id : needed_.trees)
      if (const auto place = repository_.lookup().find_tree(id)) live_.add(*place);
    for (const index::FileId& id : needed_.files) {
      if (stop_.stop_requested()) throw Cancelled();
      if (auto what = mark_file(id)) {
        lost.push_back(std::move(*what));
        unreadable_.insert(id);
      }
    }
    report_.files = needed_.files.size();
    for (const std::string& what : lost) log::warning("{}", what);
    if (!lost.empty() && options_.accept_loss) require_final_loss(lost.front());
    if (!lost.empty() && !options_.accept_loss)
      throw CorruptError(
          fmt::format("{} things that the snapshots need cannot be read ({}); nothing was pruned",
                      lost.size(), lost.front()),
          "run tsmfs repair; then forget the snapshots that are lost, or give --accept-loss");
  }

  // What cannot be read today and can tomorrow is no loss to accept: what it needs of other packs
  // would go, and it would come back without.
  void require_final_loss(const std::string& what) {
    const auto unindexed = repository_.unindexed_packs();
    if (!needed_.may_come_back && unindexed.empty()) return;
    throw CorruptError(
        fmt::format("what the snapshots need cannot be read, and may be there yet ({}); nothing "
                    "was pruned",
                    unindexed.empty() ? what : fmt::format("pack {}", unindexed.front().hex())),
        "run tsmfs repair first: what it cannot save it moves to quarantine/, and only then is it "
        "lost");
  }

  // The lookup has none that this program does not know.
  void require_known_packs() const {
    for (const index::PackId& id : repository_.unindexed_packs())
      if (const auto damage = find_damage([&] { repository_.packs().open_anew(id)->read_blobs(); }))
        refuse_newer(*damage);
  }

  // What is wrong with its recipe; nothing when all is well.
  std::optional<std::string> mark_file(const index::FileId& id) {
    auto damage = find_damage([&] {
      const auto place = repository_.lookup().find_file(id);
      if (place) live_.add(place->recipe);
      live_.add(*repository_.objects().read_recipe(id));
    });
    if (!damage) return std::nullopt;
    needed_.may_come_back |= damage->may_come_back;
    return std::move(damage->what);
  }

  // Before any pack goes: what is needed by no snapshot may need any of them, and of a recipe that
  // cannot be read nobody knows which. Were it still known, the next backup of that content would
  // store nothing.
  void forget_unneeded() {
    using Fate = index::Lookup::FileFate;
    repository_.lookup().settle(
        [&](const index::FileId& id) {
          if (!needed_.files.contains(id)) return Fate::kGoes;
          return unreadable_.contains(id) ? Fate::kLossy : Fate::kStays;
        },
        [&](const index::TreeId& id) { return needed_.trees.contains(id); });
  }

  index::PrunePlan make_plan() {
    std::vector<index::PackUse> packs;
    repository_.lookup().for_each_pack(
        [&](index::PackNumber number, const index::PackRecord& record) {
          index::PackUse use{number, record, record.logical_bytes.value_or(0), 0};
          if (!record.logical_bytes) {
            const auto reader = open_sound(record.id);
            if (!reader) return;
            use.logical_bytes = reader->logical_bytes();
          }
          if (index::ByteRanges* live = live_.find(record.id))
            use.live_bytes = std::min(live->bytes(), use.logical_bytes);
          report_.unused_bytes += use.unused_file_bytes();
          ++report_.packs;
          report_.bytes += record.file_bytes;
          packs.push_back(use);
        });
    index::PrunePlan plan =
        index::plan_prune(std::move(packs), options_.max_unused, repository_.config().pack_bytes);
    for (auto* const leaving : {&plan.remove, &plan.rewrite})
      std::erase_if(*leaving,
                    [&](const index::PackUse& pack) { return !open_sound(pack.record.id); });
    report_.dead_packs = plan.remove.size();
    for (const auto& pack : plan.remove) report_.dead_bytes += pack.record.file_bytes;
    report_.rewritten_packs = plan.rewrite.size();
    for (const auto& pack : plan.rewrite) report_.rewritten_bytes += pack.record.file_bytes;
    return plan;
  }

  // Null for one whose tables are damaged.
  std::shared_ptr<const index::PackReader> open_sound(const index::PackId& id) {
    try {
      auto reader = repository_.packs().open_anew(id);
      reader->read_blobs();
      return reader;
    } catch (const CorruptError& error) {
      log::warning("{}; the pack is left alone, run tsmfs repair", error.what());
      return nullptr;
    }
  }

  void rewrite(const std::vector<index::PackUse>& packs) {
    index::PackRewriter rewriter(repository_, {options_.compression});
    for (const index::PackUse& pack : packs) rewriter.add_leaving(pack.record.id);
    for (const index::PackUse& pack : packs)
      rewriter.move_chunks(*repository_.packs().open_anew(pack.record.id),
                           *live_.find(pack.record.id), stop_);
    for (const index::FileId& id : needed_.files) {
      if (stop_.stop_requested()) throw Cancelled();
      rewriter.move_file(id);
    }
    for (const index::TreeId& id : needed_.trees) rewriter.move_tree(id);
    rewriter.finish();
    report_.written_bytes += rewriter.written_bytes();
    remove(packs);
  }

  // Out of the lookup first: what the lookup names is there. Killed in between, the next writer
  // takes such a pack up again, and the next prune removes it.
  void remove(const std::vector<index::PackUse>& packs) {
    std::vector<std::string> keys;
    try {
      for (const index::PackUse& pack : packs) {
        const auto reader = repository_.packs().open_anew(pack.record.id);
        repository_.lookup().remove_pack(pack.number, reader->frames(), reader->read_blobs());
        keys.push_back(index::pack_key(pack.record.id));
      }
    } catch (const Error&) {
      repository_.storage().remove(keys);
      throw;
    }
    repository_.storage().remove(keys);
  }

  index::Repository& repository_;
  Catalog& catalog_;
  const PruneOptions& options_;
  std::stop_token stop_;
  Reachable needed_;
  std::unordered_set<index::FileId, index::IdHash> unreadable_;  // of those, the recipes
  index::LiveRanges live_;
  PruneReport report_;
};

}  // namespace

PruneReport prune_repository(index::Repository& repository, Catalog& catalog,
                             const PruneOptions& options, std::stop_token stop) {
  return Prune(repository, catalog, options, std::move(stop)).run();
}

}  // namespace tsmfs::snapshot
