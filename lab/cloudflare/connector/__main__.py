from cloudflared.main import main

main()
