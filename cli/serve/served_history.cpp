#include "cli/serve/served_history.h"

#include <exception>

#include "index/base/log.h"

namespace tsmfs::cli {

ServedHistory::ServedHistory(index::Repository& repository, snapshot::Catalog& catalog,
                             const fs::MountOptions& options)
    : mount_(repository, catalog, options), thread_([this] { end_.request_stop(); }) {
  auto ready = ready_.get_future();
  thread_.start([this] {
    bool told = false;
    try {
      mount_.run(end_.get_token(), [&] {
        told = true;
        ready_.set_value();
      });
      if (!told) throw Error("the mount ended before it began");
    } catch (const std::exception& error) {
      if (told)
        log::error("{}", error.what());
      else
        ready_.set_exception(std::current_exception());
    }
  });
  ready.get();
}

}  // namespace tsmfs::cli
