#include "snapshot/server/query_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <new>
#include <nlohmann/json.hpp>
#include <utility>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "snapshot/server/endpoint.h"

namespace tsmfs::snapshot {

namespace {

using Json = nlohmann::json;

constexpr size_t kAnswerBytesMax = size_t{16} << 20;
constexpr long kUnauthorized = 401, kForbidden = 403;

void start_curl() {
  // The one initialisation of the process; the standard makes it happen once.
  static const CURLcode started = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw std::bad_alloc();
}

size_t take_answer(char* bytes, size_t one, size_t count, void* to) noexcept {
  auto& answer = *static_cast<std::string*>(to);
  if (answer.size() + count > kAnswerBytesMax) return 0;  // ends the transfer
  try {
    answer.append(bytes, one * count);
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return one * count;
}

int is_cancelled(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

struct UrlParts {
  std::string scheme, host;
};

UrlParts split_url(const std::string& url) {
  const auto get = [](CURLU* parts, CURLUPart part) {
    char* text = nullptr;
    if (::curl_url_get(parts, part, &text, 0) != CURLUE_OK) return std::string();
    std::string copy(text);
    ::curl_free(text);
    return copy;
  };
  const std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)> parts(::curl_url(),
                                                                    &::curl_url_cleanup);
  if (!parts) throw std::bad_alloc();
  const bool sound = ::curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
  UrlParts found{get(parts.get(), CURLUPART_SCHEME), get(parts.get(), CURLUPART_HOST)};
  const bool bare =
      get(parts.get(), CURLUPART_USER).empty() && get(parts.get(), CURLUPART_PASSWORD).empty() &&
      get(parts.get(), CURLUPART_QUERY).empty() && get(parts.get(), CURLUPART_FRAGMENT).empty();
  if (!sound || !bare || (found.scheme != "http" && found.scheme != "https"))
    // The URL is not repeated: it may hold a password.
    throw UsageError("a server that is queried is named http://HOST:PORT or https://HOST:PORT",
                     "the user goes with --user, the password with --password-file or in "
                     "INFLUX_PASSWORD");
  return found;
}

// The server's own words for an error, in any of the places that it has for them.
std::string error_in(const Json& answer) {
  if (answer.is_object() && answer.contains("error") && answer["error"].is_string())
    return answer["error"];
  if (answer.is_object() && answer.contains("results") && answer["results"].is_array())
    for (const Json& result : answer["results"])
      if (std::string error = error_in(result); !error.empty()) return error;
  return {};
}

std::string text_of(const Json& value) {
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::vector<QuerySeries> series_of(const Json& result) {
  std::vector<QuerySeries> found;
  if (!result.contains("series")) return found;
  for (const Json& series : result["series"]) {
    QuerySeries& one = found.emplace_back();
    one.name = series.value("name", "");
    series.at("columns").get_to(one.columns);
    if (!series.contains("values")) continue;
    for (const Json& row : series["values"]) {
      auto& values = one.rows.emplace_back();
      for (const Json& value : row) values.push_back(text_of(value));
    }
  }
  return found;
}

std::vector<std::string> first_column(const Json& answer) {
  std::vector<std::string> found;
  for (const Json& result : answer.at("results")) {
    if (!result.contains("series")) continue;
    for (const Json& series : result["series"]) {
      if (!series.contains("values")) continue;
      for (const Json& row : series["values"])
        if (row.at(0).is_string()) found.push_back(row[0]);
    }
  }
  return found;
}

}  // namespace

struct QueryClient::Handle {
  CURL* curl = nullptr;
  char error[CURL_ERROR_SIZE] = "";
  ~Handle() { ::curl_easy_cleanup(curl); }
};

QueryClient::QueryClient(QueryServer server, std::stop_token stop)
    : server_(std::move(server)), stop_(std::move(stop)), handle_(std::make_unique<Handle>()) {
  start_curl();
  split_url(server_.url);
  while (server_.url.ends_with('/')) server_.url.pop_back();
  CURL* curl = handle_->curl = ::curl_easy_init();
  if (curl == nullptr) throw std::bad_alloc();
  const auto set = [curl](CURLoption option, auto value) {
    if (::curl_easy_setopt(curl, option, value) != CURLE_OK) throw std::bad_alloc();
  };
  set(CURLOPT_URL, (server_.url + "/query").c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, handle_->error);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(server_.timeout.count()));
  set(CURLOPT_WRITEFUNCTION, &take_answer);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &is_cancelled);
  set(CURLOPT_XFERINFODATA, &stop_);
  if (!server_.ca_file.empty()) set(CURLOPT_CAINFO, server_.ca_file.c_str());
  if (server_.any_certificate) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (server_.user.empty()) return;
  set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
  set(CURLOPT_USERNAME, server_.user.c_str());
  set(CURLOPT_PASSWORD, server_.password.c_str());
}

QueryClient::~QueryClient() = default;

bool QueryClient::is_open() const {
  UrlParts parts = split_url(server_.url);
  if (parts.host.starts_with('[')) parts.host = parts.host.substr(1, parts.host.size() - 2);
  return parts.scheme == "http" && !is_loopback({parts.host, 0});
}

// The answer, which is JSON with `results` and without an error.
std::string QueryClient::send(std::string_view statement) {
  CURL* curl = handle_->curl;
  const std::unique_ptr<char, decltype(&::curl_free)> escaped(
      ::curl_easy_escape(curl, statement.data(), static_cast<int>(statement.size())), &::curl_free);
  if (!escaped) throw std::bad_alloc();
  const std::string body = std::string("epoch=ns&q=") + escaped.get();
  std::string answer;
  handle_->error[0] = '\0';
  ::curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
  ::curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  ::curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  const CURLcode code = ::curl_easy_perform(curl);
  if (stop_.stop_requested()) throw Cancelled();
  if (code != CURLE_OK)
    throw ProtocolError(
        fmt::format("{}: {}", server_.url,
                    *handle_->error != '\0' ? handle_->error : ::curl_easy_strerror(code)),
        code == CURLE_PEER_FAILED_VERIFICATION
            ? "name the certificate to trust with --http-ca; --unsafe-ssl takes any"
            : "is it the server's HTTP address (8086), and does it speak HTTPS?");
  long status = 0;
  ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  const Json json = Json::parse(answer, nullptr, false);
  std::string error = error_in(json);
  if (error.empty() && (status != 200 || !json.is_object() || !json.contains("results")))
    error = fmt::format("answers a query with status {}", status);
  if (error.empty()) return answer;
  error = fmt::format("{}: {}", server_.url, quote(error));
  if (status == kUnauthorized || status == kForbidden)
    throw ProtocolError(error,
                        "name an administrator with --user, and the password with "
                        "--password-file or in INFLUX_PASSWORD");
  throw QueryRefusedError(error);
}

std::vector<std::string> QueryClient::query(std::string_view statement) {
  const Json answer = Json::parse(send(statement));
  try {
    return first_column(answer);
  } catch (const Json::exception&) {
    throw ProtocolError(server_.url + " does not answer as an influxd does");
  }
}

std::vector<std::vector<QuerySeries>> QueryClient::ask(std::string_view statements) {
  const Json answer = Json::parse(send(statements));
  std::vector<std::vector<QuerySeries>> found;
  try {
    for (const Json& result : answer.at("results")) found.push_back(series_of(result));
  } catch (const Json::exception&) {
    throw ProtocolError(server_.url + " does not answer as an influxd does");
  }
  return found;
}

}  // namespace tsmfs::snapshot
