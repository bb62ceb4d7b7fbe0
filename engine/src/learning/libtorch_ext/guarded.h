// Runs a body and turns C++ exceptions into a message that the caller frees; returns nullptr on success.

#pragma once

#include <cstring>
#include <exception>

template <typename Body> char *guarded(Body body) {
  try {
    body();
    return nullptr;
  } catch (const std::exception &error) {
    return strdup(error.what());
  } catch (...) {
    return strdup("an exception of unknown type");
  }
}
