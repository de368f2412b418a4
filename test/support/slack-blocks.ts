/**
 * Checks the blocks of a message against the limits in the Block Kit reference, independently of the bot's renderer.
 * Returns the `error` and the messages of Slack's refusal.
 */
export interface Refusal {
  readonly error: 'invalid_blocks' | 'msg_blocks_too_long';
  readonly problems: readonly string[];
}

interface Bag {
  readonly [key: string]: unknown;
}

/** This limit is only for chat.* methods. A response_url accepts longer blocks (bolt-js#2867). */
const ALL_BLOCKS_LENGTH = 13_200;

export function refusalOf(blocks: unknown, options: { readonly total: boolean }): Refusal | undefined {
  if (blocks === undefined) return undefined;
  const problems: string[] = [];
  if (!Array.isArray(blocks)) return { error: 'invalid_blocks', problems: ['blocks is not an array'] };
  if (blocks.length > 50) problems.push(`no more than 50 items allowed, ${blocks.length} given`);
  const actionIds: string[] = [];
  for (const [index, block] of blocks.entries())
    checkBlock(bag(block), `/blocks/${index}`, problems, actionIds);
  for (const id of actionIds)
    if (actionIds.indexOf(id) !== actionIds.lastIndexOf(id)) problems.push(`action_id ${id} exists twice`);
  if (problems.length > 0) return { error: 'invalid_blocks', problems };
  const length = JSON.stringify(blocks).length;
  if (options.total && length > ALL_BLOCKS_LENGTH)
    return { error: 'msg_blocks_too_long', problems: [`${length} characters of blocks`] };
  return undefined;
}

function checkBlock(block: Bag, at: string, problems: string[], actionIds: string[]): void {
  const fail = (problem: string) => problems.push(`${problem} [json-pointer: ${at}]`);
  allowOnly(block, KEYS[String(block.type)], at, problems);
  switch (block.type) {
    case 'header':
      checkText(block.text, { types: ['plain_text'], max: 150 }, `${at}/text`, problems);
      return;
    case 'section':
      if (block.text !== undefined) checkText(block.text, { max: 3000 }, `${at}/text`, problems);
      if (list(block.fields).length > 10) fail('no more than 10 fields');
      for (const field of list(block.fields)) checkText(field, { max: 2000 }, `${at}/fields`, problems);
      return;
    case 'context':
      checkCount(block.elements, 10, fail);
      for (const element of list(block.elements))
        checkText(element, { max: 3000 }, `${at}/elements`, problems);
      return;
    case 'divider':
      return;
    case 'actions':
      checkCount(block.elements, 25, fail);
      for (const [index, element] of list(block.elements).entries())
        checkElement(bag(element), `${at}/elements/${index}`, problems, actionIds);
      return;
    case 'rich_text':
      checkCount(block.elements, Number.POSITIVE_INFINITY, fail);
      for (const [index, element] of list(block.elements).entries())
        checkRichGroup(bag(element), `${at}/elements/${index}`, problems);
      return;
    case 'data_table':
      checkDataTable(block, fail);
      return;
    case 'plan':
      checkPlan(block, at, problems);
      return;
    case 'container':
      checkContainer(block, at, problems, actionIds);
      return;
    default:
      fail(`unsupported type: ${String(block.type)}`);
  }
}

const TASK_STATUSES = ['pending', 'in_progress', 'complete', 'error'];

/** Checks the rules in the references of the plan block and the task card block. */
function checkPlan(block: Bag, at: string, problems: string[]): void {
  const fail = (problem: string) => problems.push(`${problem} [json-pointer: ${at}]`);
  if (typeof block.title !== 'string' || block.title === '') fail('title is required');
  const tasks = list(block.tasks).map(bag);
  for (const [index, task] of tasks.entries()) {
    allowOnly(task, KEYS.task_card, `${at}/tasks/${index}`, problems);
    if (task.type !== 'task_card') fail(`${String(task.type)} is not allowed in a plan`);
    if (typeof task.title !== 'string' || task.title === '') fail('each task needs a title');
    if (!TASK_STATUSES.includes(String(task.status))) fail(`unknown status ${String(task.status)}`);
  }
  const ids = tasks.map(({ task_id }) => task_id);
  if (new Set(ids).size !== ids.length) fail('two tasks have the same task_id');
}

/**
 * Checks the rules in the reference of the container block. Inside the container, the bot uses only `rich_text` blocks.
 */
function checkContainer(block: Bag, at: string, problems: string[], actionIds: string[]): void {
  const fail = (problem: string) => problems.push(`${problem} [json-pointer: ${at}]`);
  checkText(block.title, { types: ['plain_text'], max: 150 }, `${at}/title`, problems);
  checkCount(block.child_blocks, 10, fail);
  if (block.default_collapsed === true && block.is_collapsible !== true)
    fail('default_collapsed needs is_collapsible');
  for (const [index, child] of list(block.child_blocks).map(bag).entries()) {
    if (child.type !== 'rich_text') fail(`${String(child.type)} is not allowed in a container`);
    checkBlock(child, `${at}/child_blocks/${index}`, problems, actionIds);
  }
}

/**
 * Checks the rules in the reference of the data table block. Of the three types of cells, the bot uses only `raw_text`.
 */
function checkDataTable(table: Bag, fail: (problem: string) => void): void {
  const rows = list(table.rows).map(list);
  const { page_size: size = 5, caption, row_header_column_index: header = 0 } = table;
  if (typeof caption !== 'string' || caption === '') fail('caption is required');
  if (!Number.isInteger(size) || Number(size) < 1 || Number(size) > 100) fail('page_size must be 1 to 100');
  if (rows.length < 2 || rows.length > 101) fail(`2 to 101 rows allowed, ${rows.length} given`);
  const columns = rows[0]?.length ?? 0;
  if (columns < 1 || columns > 20) fail(`1 to 20 columns allowed, ${columns} given`);
  if (!Number.isInteger(header) || Number(header) < 0 || Number(header) >= columns)
    fail('row_header_column_index is no column');
  if (rows.some(({ length }) => length !== columns)) fail('all rows must have the same number of values');
  const cells = rows.flat().map(bag);
  for (const { type, text, ...rest } of cells)
    if (type !== 'raw_text' || typeof text !== 'string' || text === '' || Object.keys(rest).length > 0)
      fail(`not a cell of raw_text: ${JSON.stringify({ type, text, ...rest })}`);
  const characters = cells.reduce((sum, { text = '' }) => sum + String(text).length, 0);
  if (characters > 10_000) fail(`${characters} characters in the cells`);
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  header: ['type', 'text', 'block_id'],
  section: ['type', 'text', 'fields', 'accessory', 'expand', 'block_id'],
  context: ['type', 'elements', 'block_id'],
  divider: ['type', 'block_id'],
  actions: ['type', 'elements', 'block_id'],
  rich_text: ['type', 'elements', 'block_id'],
  plan: ['type', 'title', 'tasks', 'block_id'],
  task_card: ['type', 'task_id', 'title', 'status', 'details', 'output', 'sources', 'block_id'],
  container: ['type', 'title', 'child_blocks', 'is_collapsible', 'default_collapsed', 'block_id'],
  data_table: ['type', 'rows', 'caption', 'page_size', 'row_header_column_index', 'block_id'],
};

function checkElement(element: Bag, at: string, problems: string[], actionIds: string[]): void {
  if (element.type === 'static_select') {
    actionIds.push(String(element.action_id));
    checkSelect(element, at, problems);
  } else checkButton(element, at, problems, actionIds);
}

export function checkSelect(select: Bag, at: string, problems: string[]): void {
  allowOnly(select, ['type', 'action_id', 'options', 'placeholder', 'initial_option'], at, problems);
  checkCount(select.options, 100, (problem) => problems.push(`${problem} [json-pointer: ${at}]`));
  if (select.placeholder !== undefined) checkText(select.placeholder, { max: 150 }, at, problems);
  for (const option of list(select.options)) {
    for (const text of [bag(option).text, bag(option).description ?? bag(option).text])
      checkText(text, { types: ['plain_text'], max: 75 }, at, problems);
    const { length } = String(bag(option).value ?? '');
    if (length < 1 || length > 75) problems.push(`value of ${length} characters [json-pointer: ${at}]`);
  }
}

function checkButton(button: Bag, at: string, problems: string[], actionIds: string[]): void {
  const fail = (problem: string) => problems.push(`${problem} [json-pointer: ${at}]`);
  if (button.type !== 'button') fail(`not a button: ${String(button.type)}`);
  allowOnly(
    button,
    ['type', 'text', 'action_id', 'url', 'value', 'style', 'confirm', 'accessibility_label'],
    at,
    problems,
  );
  checkText(button.text, { types: ['plain_text'], max: 75 }, `${at}/text`, problems);
  if (typeof button.action_id === 'string') actionIds.push(button.action_id);
  if (String(button.action_id ?? '').length > 255) fail('action_id longer than 255');
  if (String(button.value ?? '').length > 2000) fail('value longer than 2000');
  if (String(button.url ?? '').length > 3000) fail('url longer than 3000');
  if (button.style !== undefined && button.style !== 'primary' && button.style !== 'danger')
    fail('unknown style');
}

function checkRichGroup(group: Bag, at: string, problems: string[]): void {
  const known = ['rich_text_section', 'rich_text_preformatted', 'rich_text_quote', 'rich_text_list'];
  if (!known.includes(String(group.type)))
    problems.push(`unknown rich text ${String(group.type)} [json-pointer: ${at}]`);
  if (list(group.elements).length === 0) problems.push(`no elements [json-pointer: ${at}]`);
  for (const [index, element] of list(group.elements).entries()) {
    const where = `${at}/elements/${index}`;
    if (group.type === 'rich_text_list') checkRichGroup(bag(element), where, problems);
    else checkRich(bag(element), group.type === 'rich_text_preformatted', where, problems);
  }
}

function checkRich(element: Bag, preformatted: boolean, at: string, problems: string[]): void {
  const fail = (problem: string) => problems.push(`${problem} [json-pointer: ${at}]`);
  if (preformatted && element.type !== 'text' && element.type !== 'link')
    fail('only text and links in preformatted');
  switch (element.type) {
    case 'text':
      if (typeof element.text !== 'string' || element.text === '') fail('must be more than 0 characters');
      return;
    case 'link':
      if (!URL.canParse(String(element.url))) fail('invalid url');
      return;
    case 'user':
      if (!/^[UW][A-Z0-9]+$/.test(String(element.user_id))) fail('invalid user');
      return;
    case 'channel':
      if (!/^[CG][A-Z0-9]+$/.test(String(element.channel_id))) fail('invalid channel');
      return;
    case 'date':
      if (!Number.isInteger(element.timestamp)) fail('must provide an integer');
      if (typeof element.format !== 'string' || !/\{\w+\}/.test(element.format)) fail('no date token');
      return;
    default:
      fail(`unsupported element ${String(element.type)}`);
  }
}

function checkText(
  value: unknown,
  { types = ['plain_text', 'mrkdwn'], max }: { types?: readonly string[]; max: number },
  at: string,
  problems: string[],
): void {
  const { type, text, ...rest } = bag(value);
  const fail = (problem: string) => problems.push(`${problem} [json-pointer: ${at}]`);
  if (!types.includes(String(type))) fail(`must be ${types.join(' or ')}`);
  if (typeof text !== 'string' || text.length === 0) fail('must be more than 0 characters');
  else if (text.length > max) fail(`must be less than ${max + 1} characters`);
  const allowed = type === 'plain_text' ? 'emoji' : 'verbatim';
  for (const key of Object.keys(rest)) if (key !== allowed) fail(`unknown property ${key}`);
}

function checkCount(value: unknown, max: number, fail: (problem: string) => void): void {
  const { length } = list(value);
  if (length === 0) fail('must provide at least 1 item');
  if (length > max) fail(`no more than ${max} items allowed`);
}

function allowOnly(value: Bag, keys: readonly string[] | undefined, at: string, problems: string[]): void {
  if (!keys) return;
  for (const key of Object.keys(value))
    if (!keys.includes(key)) problems.push(`unknown property ${key} [json-pointer: ${at}]`);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function bag(value: unknown): Bag {
  return typeof value === 'object' && value !== null ? (value as Bag) : {};
}
