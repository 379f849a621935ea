#include <memory>

#include "cli/commands/command.h"
#include "fs/mount_point.h"

namespace tsmfs::cli {

namespace {

struct UmountCommand {
  std::filesystem::path mountpoint;
  bool lazy = false;
};

ExitCode run_umount(const UmountCommand& command) {
  fs::unmount(command.mountpoint, command.lazy);
  return ExitCode::kOk;
}

}  // namespace

void add_umount(CLI::App& app, Context& context) {
  auto command = std::make_shared<UmountCommand>();
  CLI::App* sub = app.add_subcommand("umount", "Take a mounted history off");
  sub->footer("\nExample:\n  tsmfs umount /mnt");
  sub->add_option("mountpoint", command->mountpoint, "Where it is mounted")
      ->required()
      ->type_name("DIR");
  sub->add_flag("--lazy", command->lazy, "Take it off even if it is in use");
  sub->callback([command, &context] { context.run = [command] { return run_umount(*command); }; });
}

}  // namespace tsmfs::cli
