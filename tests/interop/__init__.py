"""Real, unmodified relying-party libraries sign in with Clave: `script/interop`."""
