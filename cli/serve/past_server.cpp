#include "cli/serve/past_server.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

#include "index/base/error.h"

namespace tsmfs::cli {

namespace {

constexpr auto kLookInterval = std::chrono::milliseconds(500);

}  // namespace

PastServer::PastServer(index::Repository& repository, snapshot::Catalog& catalog,
                       const ServedPlace& place, const PastServerRequest& request,
                       const std::stop_token& stop)
    : catalog_(catalog),
      snapshot_(request.part.snapshot),
      data_(repository, catalog, request.part, place, request.cache_bytes, stop),
      influxd_(request.influxd, place, request.settings) {
  influxd_.wait_until_it_answers(request.deadline, stop);
  seconds_to_answer_ =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  for (const std::string& problem : influxd_.problems())
    problems_.push_back("influxd answers without some of the data: " + problem);
}

void PastServer::require_sound() {
  influxd_.require_running();
  const auto state = catalog_.refresh();
  if (!state->by_number.contains(snapshot_->number) && state->is_sound())
    throw ForgottenError(fmt::format("snapshot {} was forgotten while it was served: what prune "
                                     "removes of it cannot be read any more",
                                     snapshot_->short_id()),
                         "serve another one");
}

void PastServer::serve(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  while (!changed.wait_for(lock, stop, kLookInterval, [&] { return stop.stop_requested(); }))
    if (!stop.stop_requested()) require_sound();
}

}  // namespace tsmfs::cli
