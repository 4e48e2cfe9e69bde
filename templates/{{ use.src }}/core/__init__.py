"""What every module shares: settings, logs, problem details and the HTTP spine. It knows no domain."""
