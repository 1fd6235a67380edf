// What goes into our HTML pages from outside: text made safe, pictures as data.
#pragma once

#include <string>
#include <string_view>

namespace ptl::html {

/// Text for element contents and quoted attributes: & < > " ' become entities, control characters and bytes that are not
/// UTF-8 become U+FFFD.
std::string escape(std::string_view text);

/// "data:image/…;base64,…" of JPEG or PNG bytes (told by their first bytes).
std::string data_uri(std::string_view image_bytes);

}  // namespace ptl::html
