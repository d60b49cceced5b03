"""Tests of what is derived from small sources: python3 -m unittest discover scripts/kb"""

import textwrap
import unittest

from derive import extract, reach, roles, universe

import build


def derived(text: str) -> dict[str, roles.Row]:
    """The rows of a module of this text, by name."""
    knowledge, _, _ = build.curated()
    linked = universe.Universe(knowledge)
    linked.add("own", {"own": extract.summarise(textwrap.dedent(text).encode(), "own", False)}, set())
    solved = reach.Reach(linked, {})
    solved.run(["own"])
    return {row.name: row for row in roles.Judge(linked, solved).rows(["own"], linked.owners.get)}


class Functions(unittest.TestCase):
    def test_what_a_parameter_steers_is_a_sink_with_the_way_to_it(self):
        rows = derived("import os\ndef run(a): inner(a + ' x')\ndef inner(b): os.system(b)\n")
        self.assertEqual((rows["run"].trust, rows["run"].capabilities), ("sink", ("process",)))
        self.assertEqual(rows["run"].hop, "own:inner")

    def test_what_nothing_steers_is_dual_use(self):
        rows = derived("import os\ndef run(a): os.system('true')\n")
        self.assertEqual(rows["run"].trust, "dual")

    def test_a_callable_that_is_given_is_no_plain_computation(self):
        rows = derived("def apply(f, x): return f(x)\ndef add(a, b): return a + b\n")
        self.assertEqual((rows["apply"].trust, rows["apply"].capabilities), ("dual", ("callback",)))
        self.assertEqual((rows["add"].trust, rows["add"].roles), ("safe", "nc"))

    def test_what_changes_the_module_is_not_safe_to_call(self):
        rows = derived("TABLE = {}\ndef keep(name, f): TABLE[name] = f\ndef alias(f):\n    t = TABLE\n    t['x'] = f\n")
        self.assertNotIn("c", rows["keep"].roles)
        self.assertNotIn("c", rows["alias"].roles)

    def test_a_method_of_an_unknown_object_is_not_accounted_for(self):
        rows = derived("def load(x): return x.system('id')\ndef lower(x): return x.lower()\n")
        self.assertEqual(rows["load"].trust, "unknown")
        self.assertEqual(rows["lower"].roles, "nc")

    def test_a_name_that_may_be_something_unknown_is_not_safe(self):
        text = """
        import elsewhere
        if elsewhere.NEW:
            run = getattr(elsewhere, 'exec')
        else:
            def run(code): return 1
        """
        self.assertEqual(derived(text)["run"].trust, "unknown")

    def test_the_mode_of_open_decides(self):
        rows = derived("def read(p): return open(p)\ndef write(p): return open(p, 'w')\n")
        self.assertEqual(rows["read"].capabilities, ("fs-read",))
        self.assertEqual((rows["write"].trust, rows["write"].capabilities), ("sink", ("fs-write",)))


class Classes(unittest.TestCase):
    def test_a_plain_class_is_safe_in_every_role_it_has(self):
        rows = derived("class A:\n    def __init__(self, x): self.x = x\n")
        self.assertEqual(rows["A"].roles, "ncwdbm")

    def test_state_that_reaches_exec_is_not_safe_to_build(self):
        text = """
        class A:
            def __setstate__(self, state):
                self.__dict__.update(state)
                self.attach()
            def attach(self): pass
        class B(A):
            def attach(self): self.handler(self.text)
        """
        rows = derived(text)
        self.assertIn("b", rows["A"].roles)
        self.assertNotIn("b", rows["B"].roles)
        self.assertNotIn("d", rows["B"].roles)

    def test_what_runs_when_an_object_goes_counts(self):
        rows = derived("import os\nclass A:\n    def __del__(self): os.remove(self.path)\n")
        self.assertEqual(rows["A"].trust, "unknown")

    def test_a_class_that_is_made_to_run_code_is_not_safe(self):
        rows = derived("class A:\n    def __init__(self, s): self.s = s\n    def go(self): exec(self.s)\n")
        self.assertEqual(rows["A"].trust, "unknown")
        self.assertEqual(rows["A.go"].trust, "sink")

    def test_an_unknown_base_is_not_safe(self):
        rows = derived("import elsewhere\nclass A(elsewhere.Base): pass\n")
        self.assertEqual(rows["A"].trust, "unknown")


if __name__ == "__main__":
    unittest.main()
