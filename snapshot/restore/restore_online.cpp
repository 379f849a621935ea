#include "snapshot/restore/restore_online.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "snapshot/server/influxd_upload.h"

namespace tsmfs::snapshot {

namespace {

void require_uploads(InfluxdClient& client) {
  if (client.probe() == Dialect::k15) return;
  throw ProtocolError(
      fmt::format("the server at {} is older than InfluxDB 1.5: a running one takes no restore",
                  client.endpoint().text()),
      "stop it and restore into its directories, with --metadir and --datadir");
}

}  // namespace

bool OnlineResult::damaged() const {
  return std::ranges::any_of(report.failed, [](const FailedShard& shard) { return shard.damaged; });
}

void restore_online(index::Repository& repository, Catalog& catalog, const OnlineRequest& request,
                    OnlineResult& result, const std::stop_token& stop) {
  result.chosen =
      choose_snapshot(*catalog.refresh(), {request.which, request.server, request.options.filter},
                      repository.objects(), now());
  request.on_chosen(result.chosen);
  InfluxdClient client(request.endpoint, request.connection, stop);
  require_uploads(client);
  const InfluxdUpload upload(request.endpoint, request.connection.timeouts, stop);
  OnlineRestorer restorer(repository, result.chosen.snapshot, client, upload, request.options,
                          stop);
  result.plan = restorer.plan();
  SettingsRestorer settings(request.http, result.plan.missing, restorer.choice(), stop);
  result.settings = settings.plan();
  request.on_planned(result);
  settings.require_server(result.plan.server_databases);
  request.on_begin(result);
  if (request.dry_run) return;
  result.stage = OnlineStage::kUploading;
  restorer.run(result.plan, result.report);
  if (result.report.failed.empty()) {
    result.stage = OnlineStage::kSendingSettings;
    settings.run(result.settings_report);
  }
  result.stage = OnlineStage::kDone;
}

}  // namespace tsmfs::snapshot
