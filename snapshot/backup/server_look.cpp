#include "snapshot/backup/server_look.h"

#include <utility>

#include "index/base/error.h"

namespace tsmfs::snapshot {

MetastoreState fetch_metastore(const InfluxdClient& client) {
  MetastoreAnswer answer = client.fetch_metastore();
  try {
    Metastore view =
        Metastore::parse(answer.meta_db, "the metastore of " + client.endpoint().text());
    return {std::move(answer), std::move(view)};
  } catch (const CorruptError& error) {
    throw ProtocolError(error.what());
  }
}

ServerLook look_at_server(const InfluxdClient& client, const Filter& filter) {
  const Timestamp time = now();
  MetastoreState metastore = fetch_metastore(client);
  ShardList list = list_shards(client, metastore.view, filter);
  return {time, std::move(metastore), std::move(list)};
}

}  // namespace tsmfs::snapshot
