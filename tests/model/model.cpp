#include "tests/model/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iterator>

#include "tests/model/actions.h"
#include "tests/model/inspect.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::model {

namespace {

constexpr double kMaxUnused[] = {0, 0.05, 0.1, 0.5, 1};

// Thrown by a step for what must not be.
struct Finding {
  std::string what;
};

class Round {
 public:
  explicit Round(uint64_t seed) : places_{dir_.path()} {
    expect_well(in_child([&](const Answer&) { create_repositories(places_, seed); }, {}));
  }

  void run(const Step& step) {
    ++hour_;
    switch (step.action) {
      case Action::kChange:
        return change(servers_[step.a % kServers], step.a / kServers, step.b, step.c);
      case Action::kImport:
      case Action::kBackUp:
        return store(step);
      case Action::kPin:
        return pin_one(step);
      case Action::kForget:
        return forget_some(step);
      case Action::kPrune:
        return prune_some(step);
      case Action::kCopyThere:
        return copy_between(0, 1, step);
      case Action::kCopyBack:
        return copy_between(1, 0, step);
      case Action::kRepair:
        return plain(step, [&](const Answer&) { repair(places_); });
      case Action::kDamage:
        return damage(step);
      case Action::kRebuild:
        return plain(step, [&](const Answer&) { rebuild(places_); });
      case Action::kLoseIndex:
        std::filesystem::remove_all(places_.repository(0) / "index");
        return plain(step, [&](const Answer&) { forget(places_, {}); });
    }
  }

 private:
  Outcome in_child(const std::function<void(const Answer&)>& work, const Fault& fault) {
    Outcome outcome = run_in_child(work, fault, places_.repository(0).string(), places_.log());
    if (!outcome.crash.empty()) throw Finding{outcome.crash};
    return outcome;
  }

  static void expect_well(const Outcome& outcome) {
    if (!outcome.ended_well()) throw Finding{"the step failed: " + outcome.failure};
  }
  // Without a fault nothing may fail.
  static void expect_well_without_fault(const Outcome& outcome, const Step& step) {
    if (step.fault.at == 0) expect_well(outcome);
  }

  // A step that changes no snapshot.
  void plain(const Step& step, const std::function<void(const Answer&)>& work) {
    expect_well_without_fault(in_child(work, step.fault), step);
    compare(0);
  }

  void store(const Step& step) {
    const unsigned number = step.a % kServers;
    const Server& server = servers_[number];
    if (server.is_empty()) return;
    const std::string tag = fmt::format("at-{}", hour_);
    const bool import = step.action == Action::kImport || !server.is_all_sound();
    if (import) write(number);
    const Outcome outcome = in_child(
        [&](const Answer&) {
          if (import)
            import_data_dir(places_, number, tag, hour_);
          else
            back_up(places_, number, server, tag);
        },
        step.fault);
    expect_well_without_fault(outcome, step);
    Expected& here = expected_[0];
    if (outcome.ended_well()) {
      here.listed[tag] = server.contents();
      for (const auto& [path, content] : server.contents()) here.lost.erase(content);
    } else {
      here.perhaps_added[tag] = server.contents();
    }
    compare(0);
  }

  // The directory of a server, anew, so that nothing but times and names is as before.
  void write(unsigned number) const {
    const auto top = places_.data_dir() / server_name(number);
    std::filesystem::remove_all(top);
    for (const auto& [path, content_number] : servers_[number].contents()) {
      std::filesystem::create_directories((top / path).parent_path());
      std::ofstream(top / path, std::ios::binary) << content(content_number);
    }
  }

  void pin_one(const Step& step) {
    Expected& here = expected_[0];
    if (here.listed.empty()) return;
    const auto count = static_cast<uint32_t>(here.listed.size());
    const std::string tag = std::next(here.listed.begin(), step.a % count)->first;
    const bool pinned = !here.pinned.contains(tag);
    const Outcome outcome = in_child([&](const Answer&) { pin(places_, tag, pinned); }, step.fault);
    expect_well_without_fault(outcome, step);
    if (!outcome.ended_well())
      here.perhaps_pinned.insert(tag);
    else if (pinned)
      here.pinned.insert(tag);
    else
      here.pinned.erase(tag);
    compare(0);
  }

  // A few of those that are listed, or all but one.
  void forget_some(const Step& step) {
    Expected& here = expected_[0];
    if (here.listed.empty()) return;
    const auto count = static_cast<uint32_t>(here.listed.size());
    const uint32_t taken = step.b % 3 == 0 ? count - 1 : 1 + step.b % 2;
    std::vector<std::string> tags;
    for (uint32_t i = 0; i < std::min(taken, count); ++i)
      tags.push_back(std::next(here.listed.begin(), (step.a + i) % count)->first);
    const Outcome outcome = in_child([&](const Answer&) { forget(places_, tags); }, step.fault);
    expect_well_without_fault(outcome, step);
    for (const std::string& tag : tags) {
      if (outcome.ended_well()) {
        here.take_out(tag);
      } else {
        here.perhaps_removed.insert(tag);
      }
    }
    compare(0);
  }

  // With something lost, a prune may refuse.
  void prune_some(const Step& step) {
    const double max_unused = kMaxUnused[step.a % std::size(kMaxUnused)];
    const bool accept_loss = step.b % 2 == 0;
    const Outcome outcome =
        in_child([&](const Answer&) { prune(places_, max_unused, accept_loss); }, step.fault);
    if (!expected_[0].has_losses()) expect_well_without_fault(outcome, step);
    compare(0);
  }

  void copy_between(unsigned from, unsigned to, const Step& step) {
    const Outcome outcome =
        in_child([&](const Answer& answer) { copy(places_, from, to, answer); }, step.fault);
    expect_well_without_fault(outcome, step);
    const Expected& source = expected_[from];
    Expected& target = expected_[to];
    std::map<std::string, Contents> copied;
    for (const auto& [tag, contents] : source.listed)
      if (!target.listed.contains(tag)) copied.emplace(tag, contents);
    for (const std::string& line : outcome.lines) {
      const std::string tag = line.substr(std::string("not copied ").size());
      if (!source.has_losses()) throw Finding{line};
      copied.erase(tag);
    }
    if (outcome.ended_well()) {
      for (const auto& [tag, contents] : copied)
        for (const auto& [path, content_number] : contents) target.lost.erase(content_number);
      for (const auto& [tag, contents] : copied)
        if (source.pinned.contains(tag)) target.pinned.insert(tag);
      target.listed.merge(copied);
    } else {
      for (const auto& [tag, contents] : copied)
        if (source.pinned.contains(tag)) target.perhaps_pinned.insert(tag);
      target.perhaps_added.merge(copied);
    }
    compare(to);
  }

  // What is lost by it is learned, and must then stay all that is lost.
  void damage(const Step& step) {
    expect_well(in_child([&](const Answer&) { damage_pack(places_, step.b, step.c); }, {}));
    if (step.fault.at > 0) in_child([&](const Answer&) { repair(places_); }, step.fault);
    expect_well(in_child([&](const Answer&) { repair(places_); }, {}));
    Expected& here = expected_[0];
    const Outcome outcome = in_child(
        [&](const Answer& answer) { inspect(places_.repository(0), here, true, answer); }, {});
    expect_well(outcome);
    for (const std::string& line : outcome.lines) {
      if (line.starts_with("lost "))
        here.lost.insert(static_cast<unsigned>(std::stoul(line.substr(5))));
      if (line.starts_with("broken ")) here.broken.insert(line.substr(7));
    }
    compare(0);
  }

  // Every listed snapshot reads back; what a fault left open is settled.
  void compare(unsigned number) {
    Expected& here = expected_[number];
    const Outcome outcome = in_child(
        [&](const Answer& answer) { inspect(places_.repository(number), here, false, answer); },
        {});
    if (!outcome.ended_well()) throw Finding{"cannot be read: " + outcome.failure};
    std::set<std::string> listed, pinned;
    for (const std::string& line : outcome.lines) {
      if (line.starts_with("pinned ")) pinned.insert(line.substr(7));
      if (line.starts_with("wrong ")) throw Finding{line.substr(6)};
      if (line.starts_with("listed ") && !listed.insert(line.substr(7)).second)
        throw Finding{line + " twice"};
    }
    for (const std::string& tag : listed)
      if (const auto added = here.perhaps_added.find(tag); added != here.perhaps_added.end())
        here.listed.insert(*added);
    for (const std::string& tag : here.perhaps_removed)
      if (!listed.contains(tag)) here.take_out(tag);
    for (const std::string& tag : here.perhaps_pinned) {
      here.pinned.erase(tag);
      if (pinned.contains(tag)) here.pinned.insert(tag);
    }
    if (here.pinned != pinned) throw Finding{"other snapshots are pinned than were"};
    here.perhaps_pinned.clear();
    here.perhaps_added.clear();
    here.perhaps_removed.clear();
    for (const auto& [tag, contents] : here.listed)
      if (!listed.contains(tag)) throw Finding{"snapshot " + tag + " is gone"};
  }

  test::TempDir dir_;
  Places places_;
  int64_t hour_ = 0;
  std::array<Server, kServers> servers_;
  std::array<Expected, 2> expected_;  // the repositories
};

}  // namespace

std::optional<std::string> run_steps(const std::vector<Step>& steps, uint64_t seed) {
  size_t at = 0;
  try {
    Round round(seed);
    for (; at < steps.size(); ++at) round.run(steps[at]);
    return std::nullopt;
  } catch (const Finding& finding) {
    const std::string step = at < steps.size() ? describe(steps[at]) : "the start";
    return fmt::format("after step {}, {}: {}", at + 1, step, finding.what);
  }
}

std::vector<Step> shrink(std::vector<Step> steps, uint64_t seed, int seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  for (size_t part = std::max<size_t>(1, steps.size() / 2); part >= 1; part /= 2) {
    for (size_t begin = 0; begin < steps.size();) {
      if (std::chrono::steady_clock::now() > end) return steps;
      std::vector<Step> fewer = steps;
      const auto first = fewer.begin() + static_cast<ptrdiff_t>(begin);
      fewer.erase(first, first + static_cast<ptrdiff_t>(std::min(part, fewer.size() - begin)));
      if (run_steps(fewer, seed))
        steps = std::move(fewer);
      else
        begin += part;
    }
  }
  return steps;
}

}  // namespace tsmfs::model
