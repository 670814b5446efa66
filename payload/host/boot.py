"""Loads the other modules when they come as one text: `m` is the list [[name, source], ...], `p` the text itself."""
import sys, types

for name, source in m[1:]:  # noqa: F821
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name + ".py", "exec"), module.__dict__)
sys.modules["main"].run(sys.argv[1], m, p)  # noqa: F821
