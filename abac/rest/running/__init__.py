"""What it takes to leave a server running: processes, connections, metrics, logs, traces, an orderly end."""
