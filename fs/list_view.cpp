#include "fs/list_view.h"

#include <algorithm>
#include <array>
#include <utility>

#include "index/base/point_in_time.h"

namespace tsmfs::fs {
namespace {

constexpr std::string_view kLatestName = "latest";
constexpr std::string_view kAtName = "at";  // in every root, and in no listing
// Cookies of snapshots and servers: behind "latest", in order of their numbers.
constexpr uint64_t kCookieLatest = kCookieFirst;
constexpr uint64_t kCookieNumbers = kCookieFirst + 1;

struct FixedEntry {
  std::string_view name;
  ListNode node;
};
constexpr std::array<FixedEntry, 5> kRootEntries = {{
    {"backups", {ListKind::kSection, Section::kBackups}},
    {"changes", {ListKind::kSection, Section::kChanges}},
    {"meta", {ListKind::kSection, Section::kMeta}},
    {"hosts", {ListKind::kHosts, {}}},
    {"wal", {ListKind::kSection, Section::kWal}},
}};

bool is_in_section(const ShownSnapshot& shown, Section section) {
  return section != Section::kWal || shown.snapshot->wal.has_value();
}

// Another node of the same scope.
Inode sibling(const Inode& inode, const ListNode& node) {
  return {inode.view, inode.snapshot, ordinal_of(node)};
}

Inode host_root(const ShownHost& host) {
  return {View::kHost, host.oldest, ordinal_of({ListKind::kRoot, {}})};
}

Inode snapshot_root(const Inode& list, Section section, uint32_t number) {
  return {view_of(section, list.view == View::kHost), number, 0};
}

}  // namespace

bool ListView::has(const Inode& list, const ShownSnapshot& shown) const {
  return (list.view == View::kTop || shown.host == list.snapshot) &&
         is_in_section(shown, list_node(list).section);
}

const ShownSnapshot* ListView::newest(const Inode& inode) const {
  const ShownHost* host = inode.view == View::kTop ? nullptr : names_.find_host(inode.snapshot);
  if (inode.view != View::kTop && host == nullptr) return nullptr;
  const ListNode node = list_node(inode);
  if (node.kind == ListKind::kLatest &&
      (node.section == Section::kBackups || node.section == Section::kChanges))
    return names_.newest_whole(host);
  if (node.section != Section::kWal) return names_.newest(host);
  const ShownSnapshot* newest = nullptr;
  const auto when = [](const ShownSnapshot& shown) {
    return std::pair(shown.snapshot->time, shown.snapshot->number);
  };
  for (const ShownSnapshot& shown : names_.all()) {
    if (has(inode, shown) && (newest == nullptr || when(*newest) < when(shown))) newest = &shown;
  }
  return newest;
}

const ShownSnapshot* ListView::target(const Inode& link) const {
  const ListNode node = list_node(link);
  return node.kind == ListKind::kAtLink ? names_.find(node.snapshot) : newest(link);
}

bool ListView::shows(const Inode& root, const ListNode& entry) const {
  if (entry.kind == ListKind::kHosts) return root.view == View::kTop;
  return entry.section != Section::kWal || newest(sibling(root, entry)) != nullptr;
}

uint32_t ListView::count_directories(const Inode& inode) const {
  ptrdiff_t count = 0;
  switch (list_node(inode).kind) {
    case ListKind::kRoot:
      count = std::ranges::count_if(
          kRootEntries, [&](const FixedEntry& entry) { return shows(inode, entry.node); });
      break;
    case ListKind::kSection:
      count = std::ranges::count_if(names_.all(),
                                    [&](const ShownSnapshot& shown) { return has(inode, shown); });
      break;
    case ListKind::kHosts:
      count = std::ssize(names_.hosts());
      break;
    case ListKind::kLatest:
    case ListKind::kAt:
    case ListKind::kAtLink:
      break;
  }
  return static_cast<uint32_t>(count);
}

std::optional<Node> ListView::node(const Inode& inode) const {
  if (inode.view == View::kHost && names_.find_host(inode.snapshot) == nullptr) return std::nullopt;
  const ListNode list = list_node(inode);
  if (list.kind == ListKind::kSection && !shows(inode, list)) return std::nullopt;
  Node node;
  node.inode = inode;
  const ShownSnapshot* last = newest(inode);
  if (last != nullptr) node.mtime = last->snapshot->time;
  if (list.kind == ListKind::kLatest || list.kind == ListKind::kAtLink) {
    const auto says = read_link(inode);
    if (!says) return std::nullopt;
    node.kind = NodeKind::kLink;
    node.mode = 0777;
    node.size = says->size();
    node.mtime = target(inode)->snapshot->time;
    return node;
  }
  node.links = 2 + count_directories(inode);
  return node;
}

std::optional<Inode> ListView::find(const Inode& directory, std::string_view name) const {
  const ListNode node = list_node(directory);
  if (node.kind == ListKind::kRoot) {
    for (const FixedEntry& entry : kRootEntries) {
      if (entry.name == name && shows(directory, entry.node)) return sibling(directory, entry.node);
    }
    if (name == kAtName) return sibling(directory, {ListKind::kAt, {}});
  } else if (node.kind == ListKind::kAt) {
    return find_point_in_time(directory, name);
  } else if (node.kind == ListKind::kHosts) {
    if (const ShownHost* host = names_.find_host(name)) return host_root(*host);
  } else if (node.kind == ListKind::kSection) {
    if (name == kLatestName) {
      if (newest(directory) == nullptr) return std::nullopt;
      return sibling(directory, {ListKind::kLatest, node.section});
    }
    const ShownSnapshot* shown = names_.find(name);
    if (shown == nullptr || !has(directory, *shown)) return std::nullopt;
    return snapshot_root(directory, node.section, shown->snapshot->number);
  }
  return std::nullopt;
}

std::optional<Inode> ListView::find_point_in_time(const Inode& directory,
                                                  std::string_view name) const {
  const ShownHost* host =
      directory.view == View::kHost ? names_.find_host(directory.snapshot) : nullptr;
  // A snapshot's own name means it, also when another one has come in the same second.
  const ShownSnapshot* shown = names_.find(name);
  if (shown != nullptr && host != nullptr && shown->host != host->oldest) shown = nullptr;
  if (const auto time = parse_point_in_time(name, now()); shown == nullptr && time)
    shown = names_.newest_whole_until(*time, host);
  if (shown == nullptr) return std::nullopt;
  return sibling(directory, {ListKind::kAtLink, {}, shown->snapshot->number});
}

void ListView::list(const Inode& directory, uint64_t cookie, const ListVisitor& visit) const {
  const auto show = [&](std::string_view name, const Inode& inode, uint64_t at) {
    return at <= cookie || visit({name, inode, NodeKind::kDirectory, at, std::nullopt});
  };
  if (!show(".", directory, kCookieSelf) || !show("..", parent(directory), kCookieParent)) return;
  switch (list_node(directory).kind) {
    case ListKind::kRoot:
      for (size_t i = 0; i < kRootEntries.size(); ++i) {
        const auto& [name, entry] = kRootEntries[i];
        if (shows(directory, entry) && !show(name, sibling(directory, entry), kCookieFirst + i))
          return;
      }
      return;
    case ListKind::kHosts:
      for (const ShownHost& host : names_.hosts()) {
        if (!show(host.name, host_root(host), kCookieNumbers + host.oldest)) return;
      }
      return;
    case ListKind::kSection:
      list_snapshots(directory, cookie, visit);
      return;
    case ListKind::kLatest:
    case ListKind::kAt:
    case ListKind::kAtLink:
      return;
  }
}

void ListView::list_snapshots(const Inode& directory, uint64_t cookie,
                              const ListVisitor& visit) const {
  const Section section = list_node(directory).section;
  if (newest(directory) == nullptr) return;
  if (cookie < kCookieLatest) {
    const Inode link = sibling(directory, {ListKind::kLatest, section});
    if (!visit({kLatestName, link, NodeKind::kLink, kCookieLatest, std::nullopt})) return;
  }
  const auto cookie_of = [](const ShownSnapshot& shown) {
    return kCookieNumbers + shown.snapshot->number;
  };
  auto next = std::ranges::upper_bound(names_.all(), cookie, {}, cookie_of);
  for (; next != names_.all().end(); ++next) {
    if (!has(directory, *next)) continue;
    const Inode root = snapshot_root(directory, section, next->snapshot->number);
    if (!visit({next->name, root, NodeKind::kDirectory, cookie_of(*next), std::nullopt})) return;
  }
}

std::optional<std::string> ListView::read_link(const Inode& inode) const {
  const ListKind kind = list_node(inode).kind;
  if (kind != ListKind::kLatest && kind != ListKind::kAtLink) return std::nullopt;
  const ShownSnapshot* shown = target(inode);
  if (shown == nullptr) return std::nullopt;
  return (kind == ListKind::kAtLink ? "../backups/" : "") + shown->name;
}

Inode ListView::parent(const Inode& inode) const {
  const ListNode node = list_node(inode);
  switch (node.kind) {
    case ListKind::kRoot:
      if (inode.view == View::kHost) return {View::kTop, 0, ordinal_of({ListKind::kHosts, {}})};
      return inode;
    case ListKind::kLatest:
      return sibling(inode, {ListKind::kSection, node.section});
    case ListKind::kAtLink:
      return sibling(inode, {ListKind::kAt, {}});
    case ListKind::kSection:
    case ListKind::kHosts:
    case ListKind::kAt:
      break;
  }
  return sibling(inode, {ListKind::kRoot, {}});
}

std::string ListView::path(const Inode& inode) const {
  const ListNode node = list_node(inode);
  if (node.kind == ListKind::kRoot) {
    if (inode.view == View::kTop) return {};
    const ShownHost* host = names_.find_host(inode.snapshot);
    return "/hosts/" + (host == nullptr ? "?" : host->name);
  }
  if (node.kind == ListKind::kAt) return path(parent(inode)).append("/").append(kAtName);
  if (node.kind == ListKind::kAtLink) {
    const ShownSnapshot* shown = names_.find(node.snapshot);
    return path(parent(inode)).append("/").append(shown == nullptr ? "?" : shown->name);
  }
  if (node.kind == ListKind::kLatest) return path(parent(inode)).append("/").append(kLatestName);
  for (const FixedEntry& entry : kRootEntries) {
    if (ordinal_of(entry.node) == inode.ordinal)
      return path(parent(inode)).append("/").append(entry.name);
  }
  return {};
}

}  // namespace tsmfs::fs
