#include "cli/process/exit_code.h"

#include <new>
#include <ostream>

#include "fs/mount_point.h"
#include "index/base/error.h"
#include "index/base/visible.h"

namespace tsmfs::cli {

namespace {

ExitCode say(const Error& error, ExitCode code, std::ostream& err) {
  err << "tsmfs: " << visible_message(error.what()) << '\n';
  if (!error.advice().empty()) err << "  " << visible_message(error.advice()) << '\n';
  return code;
}

}  // namespace

ExitCode report(std::exception_ptr error, std::ostream& err) {
  try {
    std::rethrow_exception(std::move(error));
  } catch (const CorruptError& e) {
    return say(e, ExitCode::kDamaged, err);
  } catch (const UsageError& e) {
    return say(e, ExitCode::kUsage, err);
  } catch (const ProtocolError& e) {
    return say(e, ExitCode::kServer, err);
  } catch (const NoRepositoryError& e) {
    return say(e, ExitCode::kNoRepository, err);
  } catch (const fs::MountInUseError& e) {
    return say(e, ExitCode::kInUse, err);
  } catch (const BusyError& e) {
    return say(e, ExitCode::kLocked, err);
  } catch (const Cancelled& e) {
    return say(e, ExitCode::kInterrupted, err);
  } catch (const Error& e) {
    return say(e, ExitCode::kFailed, err);
  } catch (const std::bad_alloc&) {
    err << "tsmfs: out of memory\n";
    return ExitCode::kFailed;
  } catch (const std::exception& e) {
    err << "tsmfs: " << visible_message(e.what()) << '\n';
    return ExitCode::kFailed;
  }
}

}  // namespace tsmfs::cli
