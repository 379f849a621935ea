#include "fs/inode.h"

namespace tsmfs::fs {
namespace {

constexpr uint32_t kFirstSection = static_cast<uint32_t>(ListKind::kSection);
constexpr uint32_t kHosts = static_cast<uint32_t>(ListKind::kHosts);
constexpr uint32_t kFirstLatest = static_cast<uint32_t>(ListKind::kLatest);
constexpr uint32_t kAt = static_cast<uint32_t>(ListKind::kAt);
constexpr uint32_t kFirstAtLink = static_cast<uint32_t>(ListKind::kAtLink);
static_assert(kFirstSection + kSectionCount == kHosts && kHosts + 1 == kFirstLatest &&
              kFirstLatest + kSectionCount == kAt && kAt < kFirstAtLink);

bool is_list_ordinal(View view, uint32_t ordinal) {
  if (ordinal >= kFirstAtLink) return ordinal - kFirstAtLink <= Inode::kSnapshotMax;
  if (ordinal == 0 || ordinal > kAt) return false;
  return view == View::kTop || ordinal != kHosts;
}

}  // namespace

uint64_t Inode::number() const {
  return static_cast<uint64_t>(view) << 60 | static_cast<uint64_t>(snapshot) << 32 | ordinal;
}

std::optional<Inode> Inode::from_number(uint64_t number) {
  const uint64_t view = number >> 60;
  if (view > static_cast<uint64_t>(View::kHost)) return std::nullopt;
  Inode inode;
  inode.view = static_cast<View>(view);
  inode.snapshot = static_cast<uint32_t>(number >> 32) & kSnapshotMax;
  inode.ordinal = static_cast<uint32_t>(number);
  if (inode.view == View::kTop && inode.snapshot != 0) return std::nullopt;
  if (inode.is_list() && !is_list_ordinal(inode.view, inode.ordinal)) return std::nullopt;
  return inode;
}

Section Inode::section() const {
  return static_cast<Section>((static_cast<uint32_t>(view) - 1) % kSectionCount);
}

View view_of(Section section, bool in_host) {
  const View first = in_host ? View::kHostBackups : View::kBackups;
  return static_cast<View>(static_cast<uint32_t>(first) + static_cast<uint32_t>(section));
}

uint32_t ordinal_of(const ListNode& node) {
  const bool has_section = node.kind == ListKind::kSection || node.kind == ListKind::kLatest;
  const uint32_t offset = has_section ? static_cast<uint32_t>(node.section) : node.snapshot;
  return static_cast<uint32_t>(node.kind) + offset;
}

ListNode list_node(const Inode& inode) {
  const uint32_t ordinal = inode.ordinal;
  if (ordinal >= kFirstAtLink) return {ListKind::kAtLink, {}, ordinal - kFirstAtLink};
  if (ordinal == kAt) return {ListKind::kAt, {}};
  if (ordinal >= kFirstLatest)
    return {ListKind::kLatest, static_cast<Section>(ordinal - kFirstLatest)};
  if (ordinal == kHosts) return {ListKind::kHosts, {}};
  if (ordinal >= kFirstSection)
    return {ListKind::kSection, static_cast<Section>(ordinal - kFirstSection)};
  return {ListKind::kRoot, {}};
}

}  // namespace tsmfs::fs
