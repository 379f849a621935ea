// One run of `tsmfs restore --online`: a snapshot, chosen and restored into a running server.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/snapshot_choice.h"
#include "snapshot/restore/online_restorer.h"
#include "snapshot/restore/settings_restorer.h"
#include "snapshot/server/endpoint.h"
#include "snapshot/server/influxd_client.h"
#include "snapshot/server/query_client.h"

namespace tsmfs::snapshot {

enum class OnlineStage { kPlanning, kUploading, kSendingSettings, kDone };

struct OnlineResult {
  OnlineStage stage = OnlineStage::kPlanning;  // that it has come to
  ChosenSnapshot chosen;
  OnlinePlan plan;
  SettingsPlan settings;
  OnlineReport report;
  SettingsReport settings_report;  // none is sent when a shard failed

  // Whether a shard failed whose stored data are damaged.
  bool damaged() const;
  // Whether a restore of which no shard failed lacks something that was asked for and that the
  // snapshot has.
  bool lacks() const { return plan.lacks_wal || settings.lacks || !settings_report.failed.empty(); }
};

struct OnlineRequest {
  std::string which = "latest";  // as SnapshotWish
  std::string server;            // likewise
  Endpoint endpoint;
  InfluxdOptions connection;
  OnlineOptions options;
  std::optional<QueryServer> http;  // brings users, grants and continuous queries
  bool dry_run = false;             // plans only
  std::function<void(const ChosenSnapshot&)> on_chosen = [](const ChosenSnapshot&) {};
  // Before the query API is asked.
  std::function<void(const OnlineResult&)> on_planned = [](const OnlineResult&) {};
  // Nothing is in the way; before anything is changed.
  std::function<void(const OnlineResult&)> on_begin = [](const OnlineResult&) {};
};

// `result` says at any time, also after a throw, what has been done. Throws: as choose_snapshot(),
// OnlineRestorer and SettingsRestorer; ProtocolError when the server takes no restore.
void restore_online(index::Repository& repository, Catalog& catalog, const OnlineRequest& request,
                    OnlineResult& result, const std::stop_token& stop);

}  // namespace tsmfs::snapshot
