#!/usr/bin/env python3
"""The checkers catch what they are for: each test plants one violation in a clean little tree."""

import os
import tempfile
import unittest

import check_layers
import check_style

LAYERS = """
proto/base:
storage/engine: proto/base
node: proto storage node
node/server: proto
tests: *
"""

CONFINED = """
rocksdb/*: storage/engine
uv.h: proto/base main tests
"""


class Tree(unittest.TestCase):
    """A tree without a fault; plant() adds one file."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        self.plant("tests/lint/layers.txt", LAYERS)
        self.plant("tests/lint/confined.txt", CONFINED)
        self.plant("tests/lint/long_functions.txt", "")
        self.plant("proto/base/README.md", "# proto/base\n")
        self.plant("proto/base/bytes.h", self.header("PROTO_BASE_BYTES_H"))
        self.plant("proto/base/bytes.c", '#include "proto/base/bytes.h"\n\nint bytes_count(void)\n{\n\treturn 0;\n}\n')

    def header(self, guard, body=""):
        return f"#ifndef {guard}\n#define {guard}\n{body}\n#endif\n"

    def plant(self, path, content):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(content)

    def assert_one(self, problems, *parts):
        self.assertEqual(len(problems), 1, problems)
        for part in parts:
            self.assertIn(part, problems[0])


class Layers(Tree):
    def problems(self):
        return check_layers.check(self.root)

    def test_a_clean_tree_has_no_problem(self):
        self.assertEqual(self.problems(), [])

    def test_a_foreign_edge_is_caught(self):
        self.plant("node/node.h", self.header("NODE_NODE_H"))
        self.plant("storage/engine/engine.c", '#include "node/node.h"\n')
        self.assert_one(self.problems(), "storage/engine/engine.c:1", "may not include node")

    def test_an_edge_upwards_in_the_same_subsystem_is_caught(self):
        self.plant("node/node.h", self.header("NODE_NODE_H"))
        self.plant("node/server/server.c", '\n#include "node/node.h"\n')
        self.assert_one(self.problems(), "node/server/server.c:2", "may not include node")

    def test_a_name_covers_the_folders_below_it(self):
        self.plant("node/node.c", '#include "proto/base/bytes.h"\n')
        self.assertEqual(self.problems(), [])

    def test_an_include_cycle_is_caught(self):
        self.plant("proto/base/one.h", '#include "proto/base/two.h"\n')
        self.plant("proto/base/two.h", '#include "proto/base/one.h"\n')
        self.assert_one(self.problems(), "include cycle", "proto/base/one.h", "proto/base/two.h")

    def test_a_cycle_in_the_table_is_caught(self):
        self.plant("tests/lint/layers.txt", "proto/base: storage\nstorage/engine: proto/base\n")
        self.assert_one(self.problems(), "layers.txt: cycle")

    def test_a_confined_header_is_caught_outside_its_place(self):
        self.plant("node/node.c", "#include <rocksdb/c.h>\n")
        self.assert_one(self.problems(), "node/node.c:1", "confined to storage/engine")

    def test_a_confined_header_is_fine_at_its_place(self):
        self.plant("storage/engine/engine.c", "#include <rocksdb/c.h>\n")
        self.plant("node/main.c", "#include <uv.h>\n")
        self.plant("tests/unit/test_x.c", "#include <uv.h>\n")
        self.assertEqual(self.problems(), [])

    def test_an_internal_header_of_another_folder_is_caught(self):
        self.plant("proto/base/loop_internal.h", self.header("PROTO_BASE_LOOP_INTERNAL_H"))
        self.plant("node/node.c", '#include "proto/base/loop_internal.h"\n')
        self.assert_one(self.problems(), "for its own folder only")

    def test_a_path_that_is_not_from_the_root_is_caught(self):
        self.plant("proto/base/other.c", '#include "bytes.h"\n')
        self.assert_one(self.problems(), "'bytes.h' is not a path from the root")

    def test_generated_wire_headers_need_not_exist(self):
        self.plant("node/node.c", '#include "proto/wire/item.pb-c.h"\n')
        self.assertEqual(self.problems(), [])

    def test_a_folder_that_is_not_listed_is_caught(self):
        self.plant("storage/attic/old.c", "int x;\n")
        self.assert_one(self.problems(), "storage/attic is not listed")


class Style(Tree):
    def problems(self):
        return check_style.check(self.root)

    def plant_c(self, body, path="proto/base/planted.c"):
        self.plant(path, body)

    def long_function(self, lines):
        return "int planted(int a, int (*f)(void))\n{\n" + "\tf();\n" * lines + "}\n"

    def test_a_clean_tree_has_no_problem(self):
        self.assertEqual(self.problems(), [])

    def test_a_function_over_70_lines_is_caught(self):
        self.plant_c(self.long_function(71))
        self.assert_one(self.problems(), "planted() has 71 lines")

    def test_a_function_of_70_lines_is_fine(self):
        self.plant_c(self.long_function(70))
        self.assertEqual(self.problems(), [])

    def test_a_listed_function_may_be_as_long_as_listed_and_no_longer(self):
        self.plant("tests/lint/long_functions.txt", "proto/base/planted.c planted 80\n")
        self.plant_c(self.long_function(80))
        self.assertEqual(self.problems(), [])
        self.plant_c(self.long_function(81))
        self.assert_one(self.problems(), "planted() has 81 lines, at most 80")

    def test_a_list_that_could_shrink_is_caught(self):
        self.plant("tests/lint/long_functions.txt", "proto/base/planted.c planted 80\n")
        self.plant_c(self.long_function(75))
        self.assert_one(self.problems(), "has 75 lines now")
        self.plant_c(self.long_function(10))
        self.assert_one(self.problems(), "take it out")

    def test_a_file_over_800_lines_is_caught(self):
        self.plant_c("int x;\n" * 801)
        self.assert_one(self.problems(), "801 lines")

    def test_a_banned_call_is_caught_with_its_replacement(self):
        self.plant_c("int planted(char *a)\n{\n\treturn atoi(a);\n}\n")
        self.assert_one(self.problems(), "planted.c:3", "atoi() is banned", "strtol()")

    def test_names_in_comments_strings_and_other_words_are_not_calls(self):
        self.plant_c('/* atoi(x) */\nconst char *a = "atoi(x)"; // gets(x)\nint b = my_atoi(1) + c->time(0);\n')
        self.assertEqual(self.problems(), [])

    def test_the_clock_is_read_behind_the_seam_only(self):
        self.plant("storage/engine/README.md", "x\n")
        self.plant_c("int x = clock_gettime(1, 0);\n", "storage/engine/engine.c")
        self.assert_one(self.problems(), "runtime_mono_us()")
        self.plant_c("int x;\n", "storage/engine/engine.c")
        self.plant_c("int x = clock_gettime(1, 0);\n")
        self.assertEqual(self.problems(), [])

    def test_leftover_notes_are_caught_in_every_kind_of_file(self):
        for note in check_style.LEFTOVER_NOTES:
            self.plant("proto/base/README.md", f"# proto/base\n{note}: later\n")
            self.assert_one(self.problems(), "README.md:2", f"leftover {note}")

    def test_sources_without_a_readme_are_caught(self):
        self.plant_c("int x;\n", "storage/engine/engine.c")
        self.assert_one(self.problems(), "storage/engine: sources without a README.md")

    def test_a_wrong_header_guard_is_caught(self):
        self.plant("proto/base/other.h", self.header("OTHER_H"))
        self.assert_one(self.problems(), "PROTO_BASE_OTHER_H")

    def test_the_same_stem_in_two_folders_is_caught(self):
        self.plant("storage/engine/README.md", "x\n")
        self.plant_c("int x;\n", "storage/engine/bytes.c")
        self.assert_one(self.problems(), "bytes: the same file stem in proto/base and storage/engine")

    def test_main_may_repeat(self):
        for folder in ("node", "coordinator"):
            self.plant(f"{folder}/README.md", "x\n")
            self.plant_c("int x;\n", f"{folder}/main.c")
        self.assertEqual(self.problems(), [])

    def test_words_that_belong_in_no_file_are_caught(self):
        for text in ("see /ho" + "me/me/x", "from pypi" + ".org", "as in iss" + "ue #12"):
            self.plant("proto/base/README.md", f"{text}\n")
            self.assert_one(self.problems(), "README.md:1", "belongs in no file")


if __name__ == "__main__":
    unittest.main()
