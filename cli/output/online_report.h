// What `tsmfs restore --online` tells a person: what it would do, and what it did.
#pragma once

#include <iosfwd>
#include <string>

#include "snapshot/restore/restore_online.h"

namespace tsmfs::cli {

void print_uploaded(std::ostream& err, const snapshot::UploadedShard& shard);
// What a person should know before it begins; when it is to be quiet, not how passwords travel.
void print_online_warnings(std::ostream& err, const snapshot::OnlineResult& result, bool quiet);
// What would be done to the server of that name.
void print_online_plan(std::ostream& out, const snapshot::OnlineResult& result,
                       const std::string& server);
// What was done to it, as far as it came. Messages go to `err`.
void print_online_result(std::ostream& out, std::ostream& err, const snapshot::OnlineResult& result,
                         const std::string& server);

}  // namespace tsmfs::cli
