/** Every limit of this package, with its unit. Reaching one is a problem or an error value, never a crash. */
export const limits = {
  /** UTF-8 bytes of one YAML file. */
  fileBytesMax: 1_048_576,
  /** YAML documents in one file. */
  documentsMax: 100,
  /** Nesting of maps and lists in a file. */
  depthMax: 64,
  /** Nodes that aliases may add to a file; zero would forbid anchors altogether. */
  aliasesMax: 100,
  /** Elements of one program, generated gateways and events included. */
  elementsMax: 10_000,
  /** Elements of a program up to which lint follows what is written before what; the time grows with the square. */
  dataFlowElementsMax: 1_000,
  /** Stages of a pipeline; each may be handed what all before it gave. */
  stagesMax: 1_000,
  /** Items of a graph that is written out in a file. */
  itemsMax: 100_000,
  /** Sub-processes within sub-processes. */
  nestingMax: 10,
  /** Mappings that a drawing without any is given: its tasks, calls and events times its variables. */
  openMappingsMax: 200_000,
  /** Problems reported for one file; the rest is counted. */
  problemsMax: 200,
  /** Characters of one expression. */
  expressionCharactersMax: 65_536,
  expressionNodesMax: 10_000,
  expressionDepthMax: 100,
  /** Units of work one evaluation may use; one is a list element or 64 characters touched; a loop step is ten or more. */
  expressionCostMax: 2_000_000,
  /** Characters of one FEEL expression: its parser takes up to 50 ms for as many. */
  feelCharactersMax: 4_096,
  /** Brackets within brackets in FEEL text. */
  feelNestingMax: 32,
  /** Levels of a FEEL expression; `a + b + c` has three. */
  feelDepthMax: 500,
  /** Units of work of one evaluation in FEEL. */
  feelCostMax: 500_000,
  /** Calls within calls of functions that a FEEL expression defines. */
  feelCallsMax: 100,
  /** Warnings kept of one evaluation. */
  warningsMax: 20,
  /** Decisions and functions of one file; each decision is compiled with all that it requires inside. */
  decisionsMax: 500,
  /** Characters of one text in arrow notation. */
  notationCharactersMax: 65_536,
  /** Elements of a drawing, with their shapes, up to which bpmnlint's rules are asked: some compare each with each. */
  drawingElementsMax: 5_000,
  /** Combinations of values that the routes of one gateway are tried with. */
  routeCombinationsMax: 4_096,
  /** States that a check of soundness looks at. */
  soundnessStatesMax: 20_000,
  /** Records that a check of soundness copies and compares: of a state each time that something happens in it. */
  soundnessWorkMax: 4_000_000,
  /** Elements shown of a path; the last ones. */
  pathElementsMax: 30,
  /** Compiled expressions kept in memory. */
  expressionsCachedMax: 10_000,
  /** Characters of a regular expression. */
  patternCharactersMax: 1_000,
  /** Its characters times what stands in its `{…}`: compiling it takes about two microseconds for each. */
  patternSizeMax: 20_000,
  /** A timer further away than this is refused: 100 years. */
  timerAheadMsMax: 3_162_240_000_000,
} as const;
