import { fileURLToPath } from 'node:url';
import { runRegister } from './register.ts';

process.exitCode = await runRegister({
  environment: process.env,
  commandsFolder: fileURLToPath(new URL('../../../commands', import.meta.url)),
  print: (line) => console.log(line),
});
