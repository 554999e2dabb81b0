# mail
markdown-verdict = 结论
markdown-finding = 发现
markdown-measured = 测量值
markdown-limit = 界限
markdown-run = 运行 `{ $id }`，report.json 的 SHA-256 为 `{ $digest }`。
