import main, sys

main.main(sys.argv[1:])
