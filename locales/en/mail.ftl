# mail
markdown-verdict = Verdict
markdown-finding = Finding
markdown-measured = Measured
markdown-limit = Limit
markdown-run = Run `{ $id }`, SHA-256 of report.json `{ $digest }`.
