// SPDX-License-Identifier: Apache-2.0
/*
 * A plugin of QEMU's: counts the instructions that are executed before the program's first, and ends QEMU there. What is
 * declared here is QEMU's plugin interface, version 1, whose header distributions do not package.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct qemu_plugin_tb;
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*translated)(uint64_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *instruction, int operation, void *counter,
						uint64_t by);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, void (*executed)(unsigned, void *), int registers,
					  void *data);

#define EXPORT __attribute__((visibility("default")))
#define ADD 0
#define NO_REGISTERS 0

EXPORT int qemu_plugin_version = 1;

static uint64_t count;

static void program_begins(unsigned processor, void *data)
{
	(void)processor;
	(void)data;
	fprintf(stderr, "counted: %llu\n", (unsigned long long)count);
	fflush(stderr);
	_Exit(0);
}

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
	size_t instructions = qemu_plugin_tb_n_insns(block);
	uint64_t address = qemu_plugin_tb_vaddr(block);

	(void)id;
	if (address >= FIRST_ADDRESS && address < FIRST_ADDRESS + 0x100000)
		qemu_plugin_register_vcpu_tb_exec_cb(block, program_begins, NO_REGISTERS, NULL);
	/* One by one, as a block may be left in its middle. */
	for (size_t i = 0; i < instructions; i++)
		qemu_plugin_register_vcpu_insn_exec_inline(qemu_plugin_tb_get_insn(block, i), ADD, &count, 1);
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	(void)argc;
	(void)argv;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
