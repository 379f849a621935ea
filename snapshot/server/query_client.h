// The query API of a running influxd, over HTTP or HTTPS.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/error.h"

namespace tsmfs::snapshot {

// The server answered, and not with what was asked for; in its own words.
class QueryRefusedError : public ProtocolError {
 public:
  using ProtocolError::ProtocolError;
};

struct QueryServer {
  std::string url;  // http://HOST:PORT or https://HOST:PORT, with or without a path before /query
  std::string user, password;                  // an empty user: none is sent
  std::string ca_file;                         // certificates to trust; empty: the system's
  bool any_certificate = false;                // none is checked
  std::chrono::milliseconds timeout{120'000};  // for a whole answer
};

// What one statement answers of one measurement, or of whatever it is about.
struct QuerySeries {
  std::string name;
  std::vector<std::string> columns;
  // As JSON has them: numbers as they are written, null as an empty text. Times are nanoseconds.
  std::vector<std::vector<std::string>> rows;
};

// Not thread safe. No proxy is used and no redirection followed, so that the password goes to the
// server that was named.
class QueryClient {
 public:
  // Connects with the first query. Throws: UsageError when the URL is none of its kind.
  QueryClient(QueryServer server, std::stop_token stop);
  ~QueryClient();
  QueryClient(const QueryClient&) = delete;
  QueryClient& operator=(const QueryClient&) = delete;

  // The first column of what one statement answers. Throws: QueryRefusedError; ProtocolError when
  // the server cannot be reached or wants another login; Cancelled.
  std::vector<std::string> query(std::string_view statement);
  // All that statements, with ';' between them, answer, one after another. Throws: as query().
  std::vector<std::vector<QuerySeries>> ask(std::string_view statements);
  const std::string& url() const { return server_.url; }
  // True when others may read along: no encryption, and not on this machine.
  bool is_open() const;

 private:
  std::string send(std::string_view statements);
  struct Handle;
  QueryServer server_;
  std::stop_token stop_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace tsmfs::snapshot
