// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { action, type CommandContext } from '../context.ts';
import { collect, collectAdd, collectEnv } from '../options/values.ts';

export function addBuild(program: Command, context: CommandContext): void {
  program
    .command('build')
    .description('make an image of a program, with its libraries and a kernel')
    .argument('[args...]', 'behind "--": the arguments that the program gets when `uk run` is given none')
    .requiredOption('-t, --tag <ref>', 'name of the image, as in localhost:5000/hello:1 (repeatable)', collect)
    .option('--app <file>', 'the program: an ELF file or a script of this machine')
    .option(
      '--from-image <ref>',
      'build on the layers of this container image, taken as they are: a reference, oci:DIR[:TAG|@DIGEST] or docker-archive:FILE[:NAME]',
    )
    .option(
      '--rootfs <path>',
      'build on this root file system: a folder, or a tar archive (plain, gzip or zstd) of this machine',
    )
    .option('--from <ref>', 'take this image and replace only how its program runs: config, environment, arguments')
    .option(
      '--add <src:dst[:layer]>',
      'also take a file or folder, into layer app (default), deps or config',
      collectAdd,
    )
    .option('-e, --env <name=value>', 'environment variable of the program (repeatable)', collectEnv)
    .option('--entrypoint <json>', 'what is run before the arguments, as a JSON list (default: the program)')
    .option('-w, --workdir <dir>', 'working directory of the program')
    .option('-u, --user <user[:group]>', 'who the program runs as (default: root)')
    .option('--expose <port[/protocol]>', 'a port that the program serves (repeatable)', collect)
    .option('-l, --label <name=value>', 'a label of the image (repeatable)', collect)
    .option('--profile <name>', 'hardware it is for; several make an index (default: qemu-microvm)', collect)
    .addOption(
      new Option(
        '--compression <algorithm>',
        'of the layers: zstd, or gzip for old tools (default: zstd; with --from, as that image has it)',
      ).choices(['zstd', 'gzip']),
    )
    .option('--kernel <ref>', 'take the kernel of that image instead of building one')
    .addOption(
      new Option(
        '--preset <name>',
        'what the kernel has: small for one program, general for whole systems (default: what fits, and why is said)',
      ).choices(['small', 'general']),
    )
    .addOption(
      new Option(
        '--root <kind>',
        'how the guest gets its root: in its memory, or from a disk (default: what fits)',
      ).choices(['initramfs', 'erofs']),
    )
    .option('--calls', "have a dynamic program's glibc call the kernel by jumps instead of SYSCALL (docs/calls.md)")
    .addOption(
      new Option('--libc <name>', 'give a program of musl this libc: system calls as function calls').choices([
        'ring0-musl',
      ]),
    )
    .option('--sysroot <dir>', 'where the libraries of the program are looked for (default: /)')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  uk build -t localhost:5000/hello:1 --app ./hello -- --greet world
  uk build -t localhost:5000/nginx:1 --app /usr/sbin/nginx \\
    --add ./nginx.conf:/etc/nginx/nginx.conf:config --add ./site:/var/www -- -g 'daemon off;'
  uk build -t localhost:5000/tool:1 --app ./tool-of-musl --libc ring0-musl
  uk build -t localhost:5000/tool:2 --from-image debian:bookworm-slim --app ./tool
  uk build -t localhost:5000/tool:3 --from-image docker-archive:./saved.tar:debian
  uk build -t localhost:5000/shell:1 --rootfs ./debian --entrypoint '["/bin/sh"]' -- -c 'echo hello'
  uk build -t localhost:5000/hello:2 --from localhost:5000/hello:1 -e LANG=C
`,
    )
    .action(action(context, async () => (await import('../actions/build.ts')).build));
}
