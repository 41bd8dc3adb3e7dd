import { HUB_NAMESPACE } from '@kmm-hub/api-types';
import { environmentFlag, integerFlag } from '@kmm-hub/kube';
import { Command, Option } from 'commander';
import { type CliContext, OUTPUTS } from './context.ts';
import { type LogsFlags, logs } from './logs/logs.ts';
import { fleetStatus, moduleStatus, type StatusFlags } from './status/status.ts';
import { type WhyFlags, why } from './why/why.ts';

const LIMIT = 50;

/** The whole command line. Commander's errors and answers are thrown, not ended by. */
export function kubectlKmm(context: CliContext): Command {
  const program = new Command('kubectl kmm')
    .description('Looks at the modules of a fleet, with the rights of your kubeconfig on the hub.')
    .option('--kubeconfig <file>', 'kubeconfig of the hub; default: as kubectl, KUBECONFIG or ~/.kube/config')
    .option('--context <name>', 'context of the kubeconfig; default: the current one')
    .addOption(environmentFlag('-n, --namespace <name>', 'namespace of the hub').default(HUB_NAMESPACE))
    .addOption(new Option('-o, --output <format>', 'how to print').choices(OUTPUTS).default('table'))
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  for (const command of [statusCommand(context), whyCommand(context), logsCommand(context)]) {
    program.addCommand(command.copyInheritedSettings(program));
  }
  return program;
}

function statusCommand(context: CliContext): Command {
  return new Command('status')
    .description('The fleet, one row a module; with a name, one row a cluster. The worst first.')
    .argument('[MODULE]', 'name of a ManagedClusterModule')
    .addOption(new Option('--limit <rows>', 'rows to show').default(LIMIT).argParser(integerFlag(1, 1_000_000)))
    .action(async (module: string | undefined, _own: object, command: Command) => {
      const flags = command.optsWithGlobals<StatusFlags>();
      await (module === undefined ? fleetStatus(context, flags) : moduleStatus(context, module, flags));
    });
}

function whyCommand(context: CliContext): Command {
  return new Command('why')
    .description('The way of a module to the nodes of a cluster, and what is not right on it first, with the remedy.')
    .argument('<MODULE>', 'name of a ManagedClusterModule')
    .argument('<CLUSTER>', 'name of a ManagedCluster')
    .option('--spoke-kubeconfig <file>', 'kubeconfig of the cluster: its own objects and nodes are looked at too')
    .option('--spoke-context <name>', 'context of that kubeconfig, or of the one of the hub')
    .action(async (module: string, cluster: string, ...rest: [object, Command]) => {
      await why(context, [module, cluster], rest[1].optsWithGlobals<WhyFlags>());
    });
}

function logsCommand(context: CliContext): Command {
  return new Command('logs')
    .description('What the worker did for an image, and what its build printed; kept for a day.')
    .argument('<IMAGE>', 'name of a ModuleImage, its image reference, or a ManagedClusterModule with one image')
    .option('-f, --follow', 'goes on until the build ends', false)
    .addOption(new Option('--tail <lines>', 'the newest lines only').argParser(integerFlag(1, 2_000)))
    .option('--timestamps', 'the time of each line before it', false)
    .addOption(
      environmentFlag('--hub-url <url>', "the hub's endpoint; default: as the hub tells in ConfigMap kmm-hub-api"),
    )
    .addOption(environmentFlag('--hub-ca <file>', 'authority of that endpoint, PEM; default: as above'))
    .action(async (image: string, _own: object, command: Command) => {
      await logs(context, image, command.optsWithGlobals<LogsFlags>());
    });
}
