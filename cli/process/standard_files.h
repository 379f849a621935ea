// Standard input, output and error of a program that may have been started without them.
#pragma once

namespace tsmfs::cli {

// Puts a file that can be neither read nor written in the place of each that is closed: the next
// file that is opened would get its number, and what is printed would go into it. Made first thing
// in main(). Throws: IoError.
void hold_standard_files();

}  // namespace tsmfs::cli
